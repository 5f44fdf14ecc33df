// A door with clients that are no sockets, on a store whose clock the test moves.

import { type Kv, type OpenKvOptions, openKv } from "anykv";
import { type VirtualEnv, virtualEnv } from "anykv/testing";
import { Handle } from "../../../src/kv/handle.js";
import type { Door } from "../../../src/server/resp/door.js";
import { doorTo, type RespSeams } from "../../../src/server/resp/resp-door.js";
import { type RespOptions, respSettings } from "../../../src/server/resp/resp-options.js";
import { FakeSocket } from "./fake-socket.js";

let stores = 0;

export interface DoorBench {
  readonly env: VirtualEnv;
  readonly kv: Kv;
  readonly door: Door;
  client(): FakeSocket;
  /** Sends, lets everything run, and gives what has come. */
  ask(socket: FakeSocket, request: string | Uint8Array): Promise<string>;
  close(): Promise<void>;
}

export async function openDoor(
  resp: RespOptions = {},
  store: OpenKvOptions = {},
  seams: RespSeams = {},
): Promise<DoorBench> {
  const env = virtualEnv();
  const kv = openKv({ backend: "memory", name: `door ${++stores}`, env, ...store });
  const { door } = doorTo(await Handle.served(kv), respSettings(resp), seams);
  return {
    env,
    kv,
    door,
    client: () => {
      const socket = new FakeSocket();
      door.accept(socket.asSocket);
      return socket;
    },
    ask: async (socket, request) => {
      socket.sends(request);
      await env.idle();
      return socket.take();
    },
    close: async () => {
      const closing = door.close(1_000);
      await env.idle();
      await env.advance(1_000);
      await closing;
      await kv.close();
    },
  };
}

/** A request in its wire form. */
export function request(...words: (string | Uint8Array)[]): Buffer {
  const parts = words.map((word) => Buffer.from(word as string));
  return Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from("\r\n")]),
  ]);
}
