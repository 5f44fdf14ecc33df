// RESP servers: anykv's and Valkey's, each alone in a process, on TCP of the loopback.

import { fork } from "node:child_process";
import { Redis } from "iovalkey";
import { startBenchServer } from "../harness/server.js";

export interface RespServer {
  readonly name: string;
  readonly port: number;
  readonly description: string;
  /** To prepare and to check what is in it. */
  readonly client: Redis;
  stop(): Promise<void>;
}

export const anykvServerName = "anykv";
export const valkeyServerName = "valkey-server";

/** Runs until it is stopped, or this process ends. */
async function startAnykvServer(): Promise<RespServer> {
  const module = new URL("../probes/served-probe.js", import.meta.url);
  const child = fork(module, { execArgv: [] });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.on("message", (message) => resolve(message as number));
    child.on("error", reject);
    ended.then(() => reject(new Error("the server has ended before it was open")));
  });
  const client = new Redis({ host: "127.0.0.1", port });
  const stop = async (): Promise<void> => {
    client.disconnect();
    child.disconnect();
    await ended;
  };
  return { name: anykvServerName, port, description: "anykv on memory", client, stop };
}

async function startValkeyServer(directory: string): Promise<RespServer> {
  const { port, description, stop } = await startBenchServer(directory);
  const client = new Redis({ host: "127.0.0.1", port });
  return {
    name: valkeyServerName,
    port,
    description,
    client,
    stop: async () => {
      client.disconnect();
      await stop();
    },
  };
}

/** Anykv's comes first. */
export async function startRespServers(directory: string): Promise<readonly RespServer[]> {
  return [await startAnykvServer(), await startValkeyServer(directory)];
}
