// Eviction: a server that throws keys away when its memory is full takes parts of stores with them.
//
// It can be changed while the store is open, and not everybody may look. So it is told once at the
// opening, as a warning, and nothing waits for it.

import { ask } from "./raw-command.js";
import type { NodeClient } from "./valkey-client.js";

const warned = new Set<string>();

/** `at`: "valkey at 127.0.0.1:6379". Resolves in any case. */
export async function warnOfEviction(nodes: readonly NodeClient[], at: string): Promise<void> {
  for (const node of nodes) {
    const policy = await policyOf(node);
    if (!policy?.startsWith("allkeys-") || warned.has(at)) continue;
    warned.add(at);
    process.emitWarning(`${at} may evict parts of stores: its maxmemory-policy is ${policy}`, {
      type: "AnykvWarning",
      code: "ANYKV_EVICTING_SERVER",
      detail: "set `maxmemory-policy noeviction` on the server, or use another one",
    });
  }
}

/** Undefined for who may not ask, or when the connection is gone. */
async function policyOf(node: NodeClient): Promise<string | undefined> {
  try {
    const info = String(await ask(node, "INFO", "memory"));
    return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  } catch {
    return undefined;
  }
}
