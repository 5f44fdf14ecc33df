// Servers for k6: the command `anykv serve` with a store in memory, and a bare Valkey.

import { fileURLToPath } from "node:url";
import { type BenchServer, startBenchServer, startGuarded } from "../harness/server.js";

export const servedName = "anykv serve";
export const k6ValkeyName = "Valkey";

const commandLine = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));

/** As users start it, in a process of its own. */
export async function startServed(): Promise<BenchServer> {
  const command = [process.execPath, commandLine, "serve", "--json", "--port", "0"];
  const child = startGuarded(command);
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let said = "";
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("\n")) resolve(said);
    });
    ended.then(() => reject(new Error(`anykv serve does not start:\n${said}`)));
  });
  const { resp } = JSON.parse(await ready) as { resp: { port: number; url: string } };
  return {
    ...{ port: resp.port, url: resp.url, description: "anykv serve, memory" },
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

export async function startK6Servers(directory: string): Promise<Map<string, BenchServer>> {
  const servers = new Map([[servedName, await startServed()]]);
  return servers.set(k6ValkeyName, await startBenchServer(directory));
}
