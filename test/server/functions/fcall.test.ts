// FCALL: names, keys and what is refused, beside the same words on a real server.

import type { Redis } from "iovalkey";
import { describe, expect, test } from "vitest";
import { libraryWith } from "../../../src/remote/library.js";
import { FunctionDoor, loadedName } from "../../../src/server/functions/fcall.js";
import { wireReply } from "../../../src/server/functions/function-reply.js";
import { plainClient } from "../../remote/plain-connection.js";
import { describeWith, lackOf, startServer } from "../../remote/servers.js";
import { received } from "./function-connection.js";
import { servedMemory, type Told, told, type Word } from "./served.js";

const name = { prefix: "anykv", store: "s" };
const key = "anykv:{s:0}:v";

function door() {
  const { library } = servedMemory();
  const functions = new FunctionDoor(library, name);
  return async (command: string, ...words: Word[]): Promise<Told> => {
    const reply = functions.call(words.map(received), command === "FCALL_RO");
    return told(wireReply(await reply));
  };
}

describe("a door", () => {
  test("answers under every digest, and none", async () => {
    const ask = door();
    expect(await ask("FCALL", "anykv_set", 1, key, "a", "j1")).toBe(1);
    expect(await ask("FCALL", "anykv_0123456789_get", 1, key, "a")).toBe("j1");
    expect(await ask("FCALL", "ANYKV_abcdef0123_GET", 2, key, "anykv:{s:0}:x", "a")).toBe("j1");
    expect(await ask("FCALL", "anykv_version", 0)).toBe(1);
    expect(await ask("FCALL", "anykv_0123456789_version", 0)).toBe("0123456789");
    await expect(ask("FCALL", "anykv_none", 1, key)).rejects.toThrow(
      "ANYKV_UNKNOWN_OPERATION none",
    );
  });

  test("carries out with FCALL_RO what changes nothing that anybody can observe", async () => {
    const ask = door();
    expect(await ask("FCALL_RO", "anykv_count", 1, key, "")).toBe(0);
    expect(await ask("FCALL_RO", "anykv_get", 1, key, "a")).toBe("");
    await expect(ask("FCALL_RO", "anykv_once_begin", 1, key, "client")).rejects.toThrow("ERR");
  });

  test("knows one store", async () => {
    const ask = door();
    const get = (tag: string, ...more: Word[]) =>
      ask("FCALL", "anykv_get", 1 + more.length, tag, ...more, "a");
    expect(await get(key)).toBe("");
    await expect(get("anykv:{s:1}:v")).rejects.toThrow("ANYKV_PARTITIONS 1");
    const unknown = "ANYKV_UNKNOWN_STORE anykv:{s:0}";
    const others = ["anykv:{t:0}:v", "other:{s:0}:v", "anykv:{s:0}:k", "anykv:{s:x}:v", "a", ""];
    for (const other of others) await expect(get(other)).rejects.toThrow(unknown);
    await expect(get(key, "anykv:{s:1}:x")).rejects.toThrow(unknown);
    await expect(ask("FCALL", "anykv_get", 0, "a")).rejects.toThrow(unknown);
  });

  test("takes its own library for loaded, and no other one", () => {
    expect(loadedName(libraryWith("server").functions)).toMatch(/^anykv/);
    expect(() => loadedName("#!lua name=other\nreturn 1")).toThrow("ERR only the library");
    expect(() => loadedName("return 1")).toThrow("ERR only the library");
  });
});

describeWith("valkey-server and a door", lackOf("valkey"), () => {
  test("refuse the same words in the same way", async () => {
    const server = await startServer({ kind: "valkey" });
    const client: Redis = await plainClient(server.port, "server");
    const { name: library } = libraryWith("server");
    const ask = door();
    const asked: [string, ...Word[]][] = [
      ["FCALL", "none", 1, key],
      ["FCALL", "none", "x"],
      ["FCALL", `${library}_get`, "x"],
      ["FCALL", `${library}_get`, "1.5", key],
      ["FCALL", `${library}_get`, "99999999999999999999", key],
      ["FCALL", `${library}_get`, -1, key],
      ["FCALL", `${library}_get`, 2, key],
      ["FCALL_RO", `${library}_set`, 1, key, "a", "j1"],
      ["FCALL_RO", `${library}_get`, 1, key, "a"],
      ["FCALL", `${library}_open`, 1, key, 1, 1, 0],
      ["FCALL", `${library}_increment`, 1, key, "a", 1, "7 b"],
    ];
    const settled = async (reply: Promise<unknown>): Promise<string> => {
      const found = await reply.catch((error: Error) => error.message);
      return String(found).replace(/ script: \S+, on @\S+$/, "");
    };
    try {
      for (const [command, ...words] of asked) {
        const own = await settled(ask(command, ...words));
        const real = await settled(client.call(command, ...words.map(String)));
        expect([words, own]).toStrictEqual([words, real]);
      }
    } finally {
      client.disconnect();
      await server.stop();
    }
  });
});
