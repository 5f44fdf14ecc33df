// Doors: what `anykv serve` opens to a store, and how it is closed again.

import type { Kv } from "../../kv/kv.js";
import { storeTag } from "../../remote/valkey/open-valkey.js";
import { functionCommands } from "../../server/functions/function-commands.js";
import { type HttpAddress, openHttpDoor } from "../../server/http/http-door.js";
import type { HttpOptions } from "../../server/http/http-options.js";
import { openRespDoor, type RespAddress } from "../../server/resp/resp-door.js";
import type { RespOptions } from "../../server/resp/resp-options.js";

export interface DoorOptions {
  readonly resp: RespOptions | undefined;
  readonly http: HttpOptions | undefined;
  /** Under which clients with the backend "valkey" know the store. */
  readonly storeName: string | undefined;
}

export interface OpenDoors {
  readonly address: { readonly resp?: RespAddress; readonly http?: HttpAddress };
  /** Resolves when all that has been received is finished and every connection is closed. */
  close(): Promise<void>;
}

/** Opens all doors, or none. */
export async function openDoors(kv: Kv, options: DoorOptions): Promise<OpenDoors> {
  const { resp, http, storeName } = options;
  const name = { prefix: "anykv", store: storeTag(storeName) };
  const respDoor =
    resp &&
    (await openRespDoor(kv, resp, { commands: (served) => functionCommands(served, name) }));
  try {
    const httpDoor = http && (await openHttpDoor(kv, http));
    return {
      address: {
        ...(respDoor && { resp: respDoor.address }),
        ...(httpDoor && { http: httpDoor.address }),
      },
      close: async () => {
        await Promise.all([respDoor?.close(), httpDoor?.close()]);
      },
    };
  } catch (error) {
    await respDoor?.close();
    throw error;
  }
}
