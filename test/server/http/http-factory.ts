// How the suites get stores behind the HTTP door, in memory or in files, each with a door of its own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, relative } from "node:path";
import { type Kv, openKv } from "anykv";
import type { CreateOptions, StoreFactory, TestStore } from "anykv/testing";
import { openHttpDoor } from "../../../src/server/http/http-door.js";
import { scratchFile } from "../../../src/testing/scratch-directory.js";
import { HttpClient } from "./http-client.js";

let stores = 0;

export type HttpBackend = "memory" | "wal" | "disk";

async function create(
  backend: HttpBackend,
  { env, serialization = "json", trackKeys = false }: CreateOptions,
): Promise<TestStore> {
  const common = { name: `http-${++stores}`, env, serialization, trackKeys };
  const home = mkdtempSync(join(tmpdir(), "anykv-http-"));
  const served =
    backend === "memory"
      ? openKv({ ...common, backend })
      : openKv({ ...common, backend, path: join(home, "store") });
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
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export function httpFactory(backend: HttpBackend): StoreFactory {
  return {
    name: `${backend} over HTTP`,
    create: (given) => create(backend, given),
    gaps: {
      reopen: "a client keeps nothing, and the door is opened once",
      opening: "a client has no opening state",
      "shared by processes": "a client has no part of the store",
    },
  };
}
