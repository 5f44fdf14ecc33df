// How the suites get remote stores through the RESP door of `serve`.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { type KvServer, serve } from "anykv/server";
import type { CreateOptions, StoreFactory, TestStore } from "anykv/testing";
import { Handle } from "../../../src/kv/handle.js";
import { normalizeOptions } from "../../../src/kv/options/options.js";
import { functionLibraryOf } from "../../../src/server/functions/function-commands.js";
import { type Place, ServerStore } from "../../remote/valkey-factory.js";
import { resp2, resp3 } from "./wire-connections.js";

export type WireBackend = "memory" | "wal" | "disk";

export interface WireOptions {
  readonly backend: WireBackend;
  readonly protocol: 2 | 3;
  readonly retryWrites?: boolean;
}

let stores = 0;

/** A store behind a door; another life of the server begins with another one of these. */
interface Life {
  readonly own: Kv;
  readonly server: KvServer;
}

async function begin(
  backend: WireBackend,
  { env, serialization, trackKeys }: CreateOptions,
  path: string,
): Promise<Life> {
  const common = {
    name: `wire-${++stores}`,
    env,
    ...(serialization === undefined ? {} : { serialization }),
    ...(trackKeys === undefined ? {} : { trackKeys }),
  };
  const own =
    backend === "memory" ? openKv({ ...common, backend }) : openKv({ ...common, backend, path });
  // The model of the suites counts tokens from 1.
  functionLibraryOf(await Handle.served(own), { tokenBound: () => 0 });
  return { own, server: await serve(own, { resp: { port: 0 } }) };
}

async function end({ own, server }: Life): Promise<void> {
  await server.close();
  await own.close();
}

/** With a persistent backend, `reopen` is another life of the server, too. */
export function wireFactory({ backend, protocol, retryWrites = false }: WireOptions): StoreFactory {
  return {
    name: `${backend} through RESP${protocol}${retryWrites ? " with retries" : ""}`,
    create: async (given): Promise<TestStore> => {
      const directory = mkdtempSync(join(tmpdir(), "anykv-wire-"));
      let life = await begin(backend, given, join(directory, "store"));
      const place: Place = {
        connect: (env) => {
          const { url = "", port = 0 } = life.server.address.resp ?? {};
          return protocol === 2 ? resp2(url, env, retryWrites) : resp3(port, env);
        },
        verify: async () => {
          await end(life);
          rmSync(directory, { recursive: true, force: true });
        },
      };
      const { env, serialization, trackKeys } = given;
      const name = `client-${++stores}`;
      const client = normalizeOptions({ backend: "memory", name, env, serialization, trackKeys });
      const store = await ServerStore.create(client, place);
      return {
        kv: store.handle(),
        second: () => store.handle(),
        reopen: async () => {
          await store.closeAll();
          if (backend !== "memory") {
            await end(life);
            life = await begin(backend, given, join(directory, "store"));
          }
          return store.reopen();
        },
        close: () => store.close(),
      };
    },
    gaps: {
      opening: "its opening is a matter of the network, which a test cannot hold up",
      snapshots: "a backup is made in pages: writes during it may be in it",
    },
  };
}
