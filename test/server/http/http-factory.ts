// How the suites get stores in memory behind the HTTP door, each with a door of its own.

import { dirname, isAbsolute, join, relative } from "node:path";
import { type Kv, openKv } from "anykv";
import type { CreateOptions, StoreFactory, TestStore } from "anykv/testing";
import { openHttpDoor } from "../../../src/server/http/http-door.js";
import { scratchFile } from "../../../src/testing/scratch-directory.js";
import { HttpClient } from "./http-client.js";

let stores = 0;

async function create({
  env,
  serialization = "json",
  trackKeys = false,
}: CreateOptions): Promise<TestStore> {
  const name = `http-${++stores}`;
  const served = openKv({ name, backend: "memory", env, serialization, trackKeys });
  const directory = dirname(scratchFile("probe"));
  const door = await openHttpDoor(served, { port: 0, filesDirectory: directory });
  const clients: HttpClient[] = [];
  const fileNames = {
    toDoor: (given: string) => (isAbsolute(given) ? relative(directory, given) : given),
    // As the door writes them: the name of the file alone, wherever it stands.
    fromDoor: (text: string) => text.replaceAll(/\b\d+-[\w.-]+/g, (file) => join(directory, file)),
  };
  const open = (): Kv => {
    const client = new HttpClient({ url: door.address.url, serialization, fileNames });
    clients.push(client);
    return client.kv();
  };
  return {
    kv: open(),
    second: open,
    close: async () => {
      await Promise.all(clients.map((client) => client.close()));
      await door.close();
      await served.close();
    },
  };
}

export const httpFactory: StoreFactory = {
  name: "memory over HTTP",
  create,
  gaps: {
    reopen: "the data live in the memory of the process and go with the last handle",
    opening: "a client has no opening state",
    "shared by processes": "the store is in memory",
  },
};
