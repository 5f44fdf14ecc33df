// The library itself, by plain calls.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { libraryWith } from "../../src/remote/library.js";
import { operations } from "../../src/remote/operation-table.js";
import { plainClient } from "./plain-connection.js";
import { describeWith, lackOf, type ServerKind, startServer } from "./servers.js";

const { name: libraryName, digest } = libraryWith("server");
const names = operations.map(([name]) => name).sort();

test("the document lists every operation, and no other one", () => {
  const page = readFileSync(new URL("../../docs/formats/valkey.md", import.meta.url), "utf8");
  const calls = page.slice(page.indexOf("\n### Values"), page.indexOf("\n### Errors"));
  const rows = calls.split("\n").filter((line) => line.startsWith("| `"));
  const cells = rows.map((row) => row.split("|")[1] ?? "");
  const listed = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(listed.sort()).toStrictEqual(names);
});

for (const kind of ["valkey", "redis"] satisfies ServerKind[]) {
  describeWith(`the library on ${kind}-server`, lackOf(kind), () => {
    const key = "p:{s:0}:v";

    async function withServer(
      body: (call: (...words: (string | number)[]) => Promise<unknown>) => Promise<void>,
      ...args: string[]
    ): Promise<void> {
      const server = await startServer({ kind, args });
      const client = await plainClient(server.port, "server");
      try {
        // In these tests functions go by their short names.
        const named = (word: string | number): string =>
          `${word}`.replace(/^anykv(?=_)/, libraryName);
        await client.call("FCALL", `${libraryName}_open`, 1, key, 1, 1, 0);
        await body((command, ...words) => client.call(`${command}`, ...words.map(named)));
      } finally {
        client.disconnect();
        await server.stop();
      }
    }

    test("has a function for every operation, and its version", () =>
      withServer(async (call) => {
        const [library] = (await call("FUNCTION", "LIST")) as [[string, string, ...unknown[]]];
        const functions = library[library.indexOf("functions") + 1] as unknown as string[][];
        const registered = functions.map((entry) => `${entry[1]}`.replace(`${libraryName}_`, ""));
        expect(registered.sort()).toStrictEqual([...names, "version"].sort());
        expect(await call("FCALL", "anykv_version", 0)).toBe(digest);
      }));

    test("is one script, too, and both see the same store", () =>
      withServer(async (call) => {
        const { scriptSha1 } = libraryWith("server");
        expect(await call("EVALSHA", scriptSha1, 1, key, "version")).toBe(digest);
        expect(await call("EVALSHA", scriptSha1, 1, key, "set", "a", "j1")).toBe(1);
        expect(await call("FCALL", "anykv_increment", 1, key, "a", 2)).toBe("3");
        expect(await call("EVALSHA", scriptSha1, 1, key, "get", "a")).toBe("j3");
        await expect(call("EVALSHA", scriptSha1, 1, key, "none")).rejects.toThrow(
          "ANYKV_UNKNOWN_OPERATION none",
        );
      }));

    test("carries out once what is sent twice", () =>
      withServer(async (call) => {
        const once = (...words: (string | number)[]) =>
          call("FCALL", "anykv_once", 1, key, "client", ...words);
        await expect(once(1, "increment", "a", 5)).rejects.toThrow("ANYKV_NOT_BEGUN");
        await call("FCALL", "anykv_once_begin", 1, key, "client");
        expect(await once(1, "increment", "a", 5)).toBe("5");
        expect(await once(1, "increment", "a", 5)).toBe("5");
        expect(await once(2, "increment", "a", 5)).toBe("10");
        expect(await once(3, "push", "q", "first", "jx")).toBe(1);
        expect(await once(4, "pop", "q", "first", "j", "")).toBe("jx");
        expect(await once(4, "pop", "q", "first", "j", "")).toBe("jx");
        expect(await once(5, "get_many", "a", "none")).toStrictEqual(["j10", ""]);
        expect(await once(5, "get_many", "a", "none")).toStrictEqual(["j10", ""]);
        // What has failed fails again, whatever has become of the reason.
        await expect(once(6, "push", "a", "first", "j1")).rejects.toThrow("ANYKV_WRONG_TYPE value");
        await call("FCALL", "anykv_delete", 1, key, "a");
        await expect(once(6, "push", "a", "first", "j1")).rejects.toThrow("ANYKV_WRONG_TYPE value");
        expect(await once(7, "push", "a", "first", "j1")).toBe(1);
        // A slot is used again after 1,024 calls, and never by an earlier one.
        expect(await once(1 + 1_024, "increment", "n", 1)).toBe("1");
        await expect(once(1, "increment", "n", 1)).rejects.toThrow("ANYKV_SUPERSEDED 1025");
        const free = (...words: (string | number)[]) =>
          call("FCALL", "anykv_once_free", 1, key, "client", ...words);
        expect(await free(8, "delete", "n")).toBe(1);
        expect(await free(8, "delete", "n")).toBe(1);
        await expect(free(9, "set", "n", "j1")).rejects.toThrow("ANYKV_UNKNOWN_OPERATION set");
        expect(await call("PTTL", "p:{s:0}:r:client")).toBeGreaterThan(3_500_000);
        expect(await call("FCALL", "anykv_once_end", 1, key, "client")).toBe(1);
        await expect(once(10, "increment", "n", 1)).rejects.toThrow("ANYKV_NOT_BEGUN");
      }));

    test("reads and makes room where no memory is left", () =>
      withServer(async (call) => {
        await call("FCALL", "anykv_set", 1, key, "a", "j1");
        await call("FCALL", "anykv_push", 1, key, "q", "first", "j1");
        await call("CONFIG", "SET", "maxmemory", 1);
        await expect(call("FCALL", "anykv_set", 1, key, "b", "j1")).rejects.toThrow(/OOM/);
        expect(await call("FCALL", "anykv_get", 1, key, "a")).toBe("j1");
        expect(await call("FCALL", "anykv_count", 1, key, "")).toBe(1);
        expect(await call("FCALL", "anykv_pop", 1, key, "q", "first", "j", "")).toBe("j1");
        expect(await call("FCALL", "anykv_clear", 1, key)).toBe(1);
        expect(await call("FCALL", "anykv_get", 1, key, "a")).toBe("");
      }));

    // A script that has not written yet may not write what could need memory.
    test("makes room as a script, too, whether there is something to remove or not", () =>
      withServer(async (call) => {
        const script = (...words: (string | number)[]) =>
          call("EVALSHA", libraryWith("server").scriptSha1, 1, key, ...words);
        await script("once_begin", "client");
        await script("set_many", "", "", "a", "j1", "b", "j1", "c", "j1");
        const [, , , token = ""] = (await script(
          "claim_keys",
          1,
          60_000,
          "",
          "j",
          1,
          "c",
        )) as string[];
        await script("push", "q", "first", "j1");
        await script("add_member", "f", "item", "");
        await script("load_begin", "load");
        await script("load_values", "load", "new", "j1", "");
        await call("CONFIG", "SET", "maxmemory", 1);
        const findsNothing = async () => {
          expect(await script("delete", "none")).toBe(0);
          expect(await script("delete_many", "", "none")).toBe(0);
          expect(await script("delete_prefix", "none", 10)).toStrictEqual([0, 1]);
          expect(await script("fetch_remove", "none", "j")).toBe("");
          expect(await script("compare_delete", "none", "j1")).toBe("");
          expect(await script("pop", "none", "first", "j")).toBe("");
          expect(await script("pop_random", "none", "j", "", 1)).toStrictEqual(["ok"]);
          expect(await script("delete_array", "none")).toBe(0);
          expect(await script("delete_member", "f", "none")).toBe(0);
          await script("clear_members", "none");
          expect(await script("release_claims", "a", 1)).toStrictEqual([0]);
          expect(await script("complete_claims", 1, "a", 1)).toStrictEqual([0]);
          expect(await script("drop_keys", "none")).toBe(1);
          expect(await script("drop_members", "f", "none")).toBe(1);
          expect(await script("load_abandon", "other")).toBe(1);
        };
        await expect(script("set", "d", "j1")).rejects.toThrow(/OOM/);
        await findsNothing();
        expect(await script("release_claims", "c", token)).toStrictEqual([1]);
        expect(await script("drop_claims", 10)).toBe(0);
        expect(await script("once_free", "client", 1, "delete", "none")).toBe(0);
        expect(await script("delete", "a")).toBe(1);
        expect(await script("load_abandon", "load")).toBe(1);
        expect(await call("EXISTS", "p:{s:0}:s:v")).toBe(0);
        expect(await script("clear")).toBe(1);
        expect(await script("clear")).toBe(1);
        expect(await script("get", "b")).toBe("");
        while (((await script("reap", 100)) as number[])[0] === 1) {}
        await findsNothing();
      }));

    test("gives up a load where no memory is left, also by clear when it has been silent", () =>
      withServer(async (call) => {
        const run = (operation: string, ...words: (string | number)[]) =>
          call("FCALL", `anykv_${operation}`, 1, key, ...words);
        const staged = () => call("EXISTS", "p:{s:0}:s:v");
        const loadSome = async (): Promise<void> => {
          await call("CONFIG", "SET", "maxmemory", 0);
          await run("load_begin", "load");
          await run("load_values", "load", "new", "j1", "");
          await call("CONFIG", "SET", "maxmemory", 1);
        };
        await loadSome();
        expect(await run("load_abandon", "load")).toBe(1);
        expect(await staged()).toBe(0);
        await loadSome();
        await run("clear");
        expect(await staged()).toBe(1);
        const [seconds] = (await call("TIME")) as string[];
        await call("CONFIG", "SET", "maxmemory", 0);
        await call("HSET", "p:{s:0}:n", "loading", `load ${(Number(seconds) - 61) * 1_000}`);
        await call("CONFIG", "SET", "maxmemory", 1);
        await run("clear");
        expect(await staged()).toBe(0);
        expect(await call("HMGET", "p:{s:0}:n", "loading", "staging")).toStrictEqual([null, null]);
      }));
  });
}
