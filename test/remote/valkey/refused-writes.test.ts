// A server that refuses writes, because it has too few replicas or cannot save them: what still works,
// as docs/api.md says.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, lackOfAny, type Server, startServer, until } from "../servers.js";

let directory = "";
const readers: Readonly<Record<string, (kv: Kv) => unknown>> = {
  get: (kv) => kv.get("a"),
  find: (kv) => kv.find("a"),
  getMany: (kv) => kv.getMany(["a", "b"]),
  exists: (kv) => kv.exists("a"),
  ttl: (kv) => kv.ttl("a"),
  length: (kv) => kv.length("array"),
  range: (kv) => kv.range("array", 0, 10),
  "filter.contains": (kv) => kv.filter("seen").contains("x"),
  "filter.size": (kv) => kv.filter("seen").size(),
  backup: (kv) => kv.backup({ fileName: join(directory, "backup") }),
};
const others: Readonly<Record<string, (kv: Kv) => unknown>> = {
  count: (kv) => kv.count(),
  size: (kv) => kv.size(),
  scan: (kv) => kv.scan(),
  scanKeys: (kv) => kv.scanKeys(),
  list: (kv) => kv.list(),
  listKeys: (kv) => kv.listKeys(),
  listArrays: (kv) => kv.listArrays(),
  randomKey: (kv) => kv.randomKey(),
  randomKeys: (kv) => kv.randomKeys({ count: 2 }),
  stats: (kv) => kv.stats(),
  exportJSONL: (kv) => kv.exportJSONL({ fileName: join(directory, "export") }),
  set: (kv) => kv.set("a", 2),
  delete: (kv) => kv.delete("a"),
};

const reasons: Readonly<Record<string, (server: Server) => Promise<void>>> = {
  "has too few replicas": async (server) => {
    await server.cli("config", "set", "min-replicas-to-write", "1");
  },
  "cannot save them": async (server) => {
    // Where its file belongs lies something else.
    mkdirSync(join(server.directory, "dump.rdb"));
    await server.cli("config", "set", "save", "3600 1");
    await server.cli("bgsave");
    const failed = /rdb_last_bgsave_status:err/;
    await until(async () => failed.test(await server.cli("info", "persistence")));
  },
};

for (const reason of Object.keys(reasons))
  describeWith(`a server that refuses writes because it ${reason}`, lackOfAny(), () => {
    let server: Server;
    const open = (name: string): Kv =>
      openKv({ backend: "valkey", name, valkey: { url: server.url } });

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "anykv-refused-"));
      server = await startServer();
      await using kv = open("there");
      await kv.setMany({ a: 1, b: 2 });
      await kv.append("array", 1);
      await kv.filter("seen").add("x");
      await reasons[reason]?.(server);
    });

    afterAll(async () => {
      await server?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    test.each(Object.keys(readers))("%s works", async (name) => {
      await using kv = open("there");
      await readers[name]?.(kv);
    });

    test.each(Object.keys(others))("%s is refused", async (name) => {
      await using kv = open("there");
      await expect(others[name]?.(kv)).rejects.toMatchObject({ name: "ServerRefusedError" });
    });

    test("a store that is not there cannot be opened", async () => {
      await using kv = open("new");
      await expect(kv.get("a")).rejects.toMatchObject({ name: "ServerRefusedError" });
    });
  });
