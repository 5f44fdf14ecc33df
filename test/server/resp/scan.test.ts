// SCAN and SSCAN while others write: whatever is there all the time is given, also when the server
// is started anew on the way.

import { seededRandom } from "anykv/testing";
import { describe, expect, test } from "vitest";
import type { Random } from "../../../src/env/env.js";
import { ScanCursors } from "../../../src/server/resp/scan-cursors.js";
import { DirectDoor } from "./direct-door.js";

/** Cursor and names of a page. */
function pageOf(reply: string): { cursor: string; names: string[] } {
  const lines = reply.split("\r\n");
  return { cursor: lines[2] as string, names: lines.slice(4).filter((_, at) => at % 2 === 1) };
}

function make(door: DirectDoor, random: Random, key: string): void {
  const kind = random.below(3);
  if (kind === 0) door.run("SET", key, "v");
  else if (kind === 1) door.run("RPUSH", key, "e");
  else door.run("SADD", key, "m", "n");
}

/** Writes that leave the keys beginning with "stay" where they are, but for their kinds. */
function disturb(door: DirectDoor, random: Random, stays: readonly string[]): void {
  const key = `${["a", "stay:5", "z"][random.below(3)]}${random.below(40)}!`;
  switch (random.below(4)) {
    case 0:
      door.run("DEL", key);
      break;
    case 1:
      make(door, random, key);
      break;
    case 2: {
      // From a string to a list, or back, in one step. A set becomes either.
      const stay = stays[random.below(stays.length)] as string;
      door.run("RPUSH", "other", "e");
      if (door.run("TYPE", stay) === "+list\r\n") door.run("SET", stay, "v");
      else door.run("RENAME", "other", stay);
      break;
    }
    default:
      door.run("RENAME", key, `${key}${random.below(5)}`);
  }
}

describe("SCAN", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("misses nothing that stays, seed %i", (seed) => {
    const random = seededRandom(seed);
    const door = new DirectDoor();
    const stays = Array.from({ length: 60 }, (_, at) => `stay:${at}`);
    for (const key of stays) make(door, random, key);
    for (let at = 0; at < 60; at++) make(door, random, `a${at}!`);
    const found = new Set<string>();
    let cursor = "0";
    let restarts = 2;
    let pages = 0;
    do {
      // A scan that does not end would stop the whole run.
      expect(++pages).toBeLessThan(1_000);
      const page = pageOf(door.run("SCAN", cursor, "COUNT", 1 + random.below(8)));
      for (const name of page.names) {
        expect(door.run("EXISTS", name)).toBe(":1\r\n");
        found.add(name);
      }
      cursor = page.cursor;
      expect(Number.isSafeInteger(Number(cursor))).toBe(true);
      for (let left = random.below(6); left > 0; left--) disturb(door, random, stays);
      if (restarts > 0 && random.below(20) === 0) {
        restarts--;
        door.cursors = new ScanCursors();
      }
    } while (cursor !== "0");
    expect(stays.filter((key) => !found.has(key))).toEqual([]);
    expect(door.problems()).toEqual([]);
  });

  test("goes on behind a key that has been removed", () => {
    const door = new DirectDoor();
    for (const key of "abcdef") door.run("SET", key, "v");
    const first = pageOf(door.run("SCAN", 0, "COUNT", 2));
    expect(first.names).toEqual(["a", "b"]);
    door.run("DEL", "a", "b");
    expect(pageOf(door.run("SCAN", first.cursor, "COUNT", 2)).names).toEqual(["c", "d"]);
  });

  test("has the same cursor for the same place, and none of another set", () => {
    const door = new DirectDoor();
    for (let at = 0; at < 500; at++) door.run("SADD", "s", `m${at}`);
    for (const key of "abc") door.run("SET", key, "v");
    const { cursor } = pageOf(door.run("SSCAN", "s", 0));
    expect(pageOf(door.run("SSCAN", "s", 0)).cursor).toBe(cursor);
    expect(pageOf(door.run("SCAN", cursor)).names.sort()).toEqual(["a", "b", "c", "s"]);
    door.run("SADD", "t", "x");
    expect(pageOf(door.run("SSCAN", "t", cursor)).names).toEqual(["x"]);
  });

  test("forgets cursors when very many have been handed out, and begins anew", () => {
    const cursors = new ScanCursors();
    const first = cursors.toward("k0");
    for (let at = 1; at <= 16_384; at++) cursors.toward(`k${at}`);
    expect(cursors.placeOf(first)).toBeUndefined();
    expect(cursors.placeOf(cursors.toward("k16384"))).toBe("k16384");
  });

  test("looks only at keys that begin as the pattern does", () => {
    const door = new DirectDoor();
    for (let at = 0; at < 50; at++) door.run("SET", `other:${at}`, "v");
    for (let at = 0; at < 5; at++) door.run("SET", `user:${at}`, "v");
    expect(pageOf(door.run("SCAN", 0, "MATCH", "user:*")).names).toHaveLength(5);
  });
});

test.each([1, 2, 3])("SSCAN misses no member that stays, seed %i", (seed) => {
  const random = seededRandom(seed);
  const door = new DirectDoor();
  for (let at = 0; at < 300; at++) door.run("SADD", "s", `stay:${at}`, `go:${at}`);
  const found = new Set<string>();
  let cursor = "0";
  let pages = 0;
  do {
    expect(++pages).toBeLessThan(1_000);
    const page = pageOf(door.run("SSCAN", "s", cursor, "COUNT", 20));
    for (const name of page.names) found.add(name);
    cursor = page.cursor;
    for (let left = 10; left > 0; left--) {
      door.run("SREM", "s", `go:${random.below(300)}`);
      door.run("SADD", "s", `new:${random.below(300)}`);
    }
  } while (cursor !== "0");
  expect(Array.from({ length: 300 }, (_, at) => `stay:${at}`).filter((m) => !found.has(m))).toEqual(
    [],
  );
});
