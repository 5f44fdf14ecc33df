// Info: what INFO tells of the server, as lines of names and values in sections.

import type { Awaitable } from "../../../engine/engine.js";
import { isSubscriber } from "../admission.js";
import type { Argument } from "../argument.js";
import type { Encoded } from "../encoder.js";
import type { Server, Session } from "../session.js";
import { compatibleVersion } from "../version.js";

type Facts = Readonly<Record<string, string | number>>;
type Section = (server: Server) => Awaitable<Facts>;

const usPerMs = 1_000;
const mebibyte = 1_048_576;

const sections: Readonly<Record<string, Section>> = {
  Server: ({ facts }) => {
    const uptimeMs = facts.now() - facts.startedAt;
    return {
      redis_version: compatibleVersion,
      server_name: "anykv",
      redis_mode: "standalone",
      server_mode: "standalone",
      os: `${process.platform} ${process.arch}`,
      arch_bits: 64,
      node_version: process.version,
      process_id: process.pid,
      run_id: facts.runId,
      tcp_port: facts.port,
      server_time_usec: facts.now() * usPerMs,
      uptime_in_seconds: Math.floor(uptimeMs / 1_000),
      uptime_in_days: Math.floor(uptimeMs / 86_400_000),
      anykv_backend: facts.backend,
      anykv_serialization: facts.serialization,
    };
  },
  Clients: ({ sessions, settings }) => {
    const all = [...sessions.values()];
    return {
      connected_clients: all.length,
      maxclients: settings.clientsMax,
      blocked_clients: all.filter(({ isBlocked }) => isBlocked).length,
      pubsub_clients: all.filter(isSubscriber).length,
      watching_clients: all.filter(({ transaction }) => transaction.watched > 0).length,
    };
  },
  Memory: () => {
    const { heapUsed, external, rss } = process.memoryUsage();
    const used = heapUsed + external;
    return {
      used_memory: used,
      used_memory_human: `${(used / mebibyte).toFixed(2)}M`,
      used_memory_rss: rss,
      used_memory_rss_human: `${(rss / mebibyte).toFixed(2)}M`,
      maxmemory: 0,
      maxmemory_policy: "noeviction",
    };
  },
  Persistence: ({ facts }) => ({
    loading: 0,
    async_loading: 0,
    anykv_durability: facts.durability,
  }),
  Stats: ({ facts, channels }) => ({
    total_connections_received: facts.counts.connections,
    total_commands_processed: facts.counts.commands,
    rejected_connections: facts.counts.rejectedConnections,
    client_connections_cut_off: facts.counts.cutOff,
    acl_access_denied_auth: facts.counts.failedLogins,
    pubsub_channels: channels.names.length,
    pubsub_patterns: channels.patternCount,
  }),
  Replication: () => ({ role: "master", connected_slaves: 0 }),
  CPU: () => {
    const { user, system } = process.cpuUsage();
    return { used_cpu_sys: system / 1e6, used_cpu_user: user / 1e6 };
  },
  Cluster: () => ({ cluster_enabled: 0 }),
  Keyspace: async ({ facts }): Promise<Facts> => {
    const keys = await facts.countKeys();
    return keys === 0 ? {} : { db0: `keys=${keys}` };
  },
};

const wholes: ReadonlySet<string> = new Set(["all", "default", "everything"]);

export async function info(
  { encode, server }: Session,
  args: readonly Argument[],
): Promise<Encoded> {
  const asked = new Set(args.map((name) => String(name).toLowerCase()));
  const isWhole = asked.size === 0 || [...asked].some((name) => wholes.has(name));
  const texts: string[] = [];
  for (const [name, section] of Object.entries(sections)) {
    if (!isWhole && !asked.has(name.toLowerCase())) continue;
    const facts = Object.entries(await section(server));
    texts.push([`# ${name}`, ...facts.map(([fact, value]) => `${fact}:${value}`), ""].join("\r\n"));
  }
  return encode.verbatim(texts.join("\r\n"));
}
