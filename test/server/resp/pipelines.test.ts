// Pipelines, transactions and waits on every local backend: replies in order, nothing acknowledged
// before the engine has, all or nothing, and one queue for everybody who waits for elements.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, type OpenKvOptions, openKv } from "anykv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Handle } from "../../../src/kv/handle.js";
import type { Door } from "../../../src/server/resp/door.js";
import { doorTo } from "../../../src/server/resp/resp-door.js";
import { respSettings } from "../../../src/server/resp/resp-options.js";
import { request } from "./door-bench.js";
import { FakeSocket } from "./fake-socket.js";
import { replyEnd } from "./wire-peer.js";

const backends: Record<string, (path: string) => OpenKvOptions> = {
  memory: () => ({ backend: "memory" }),
  wal: (path) => ({ backend: "wal", path }),
  "wal, syncWrites": (path) => ({ backend: "wal", path, wal: { syncWrites: true } }),
  disk: (path) => ({ backend: "disk", path: join(path, "store.db") }),
};

/** The replies in a text, one by one. */
function repliesIn(text: string): string[] {
  const replies: string[] = [];
  let at = 0;
  for (let end = replyEnd(text, at); end !== undefined; end = replyEnd(text, at)) {
    replies.push(text.slice(at, end));
    at = end;
  }
  return replies;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** So many replies; the test's own time-out ends the wait for those that never come. */
async function replies(socket: FakeSocket, count: number): Promise<string[]> {
  while (repliesIn(socket.received).length < count) await turn();
  return repliesIn(socket.take());
}

let stores = 0;

for (const [name, optionsFor] of Object.entries(backends)) {
  describe(name, () => {
    let path: string;
    let kv: Kv;
    let door: Door;

    beforeEach(async () => {
      path = mkdtempSync(join(tmpdir(), "anykv-door-"));
      kv = openKv({ name: `pipelines ${++stores}`, ...optionsFor(path) });
      door = doorTo(await Handle.served(kv), respSettings({})).door;
    });
    afterEach(async () => {
      await door.close(1_000);
      await kv.close();
      rmSync(path, { recursive: true, force: true });
    });

    function client(): FakeSocket {
      const socket = new FakeSocket();
      door.accept(socket.asSocket);
      return socket;
    }

    test("replies come in the order of the requests, whatever kind they are", async () => {
      const socket = client();
      const sent: Buffer[] = [];
      const expected: string[] = [];
      for (let count = 1; count <= 300; count++) {
        sent.push(request("INCR", "n"), request("GET", "n"), request("ECHO", `${count}`));
        expected.push(`:${count}\r\n`);
        expected.push(
          `$${`${count}`.length}\r\n${count}\r\n`,
          `$${`${count}`.length}\r\n${count}\r\n`,
        );
        if (count % 7 === 0) {
          sent.push(request("LPUSH", "n", "x"), request("NONE"), request("DBSIZE"));
          expected.push("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
          expected.push("-ERR unknown command 'NONE', with args beginning with: \r\n", ":1\r\n");
        }
      }
      const bytes = Buffer.concat(sent);
      for (let at = 0; at < bytes.length; at += 1_000) socket.sends(bytes.subarray(at, at + 1_000));
      expect(await replies(socket, expected.length)).toEqual(expected);
      expect(await kv.get("n")).toBe(300);
    });

    test("a command that fails takes nothing of its neighbours with it", async () => {
      const socket = client();
      socket.sends(
        "SET a 1\r\nLPUSH a x\r\nINCR a\r\nHSET a f\r\nFLUSHALL\r\nSET b 2\r\nGET a\r\n",
      );
      const got = await replies(socket, 7);
      expect(got.map((reply) => reply.slice(0, 6))).toEqual([
        "+OK\r\n",
        "-WRONG",
        ":2\r\n",
        "-ERR w",
        "+OK\r\n",
        "+OK\r\n",
        "$-1\r\n",
      ]);
      expect(await kv.listKeys()).toEqual(["b"]);
    });

    test("a transaction is carried out as a whole, and nobody sees a part of it", async () => {
      const [first, second] = [client(), client()];
      const rounds = 50;
      for (let round = 0; round < rounds; round++) {
        first.sends("MULTI\r\nINCR a\r\nINCR b\r\nEXEC\r\n");
        second.sends("MGET a b\r\nMULTI\r\nGET a\r\nGET b\r\nEXEC\r\n");
      }
      const written = await replies(first, rounds * 4);
      const seen = await replies(second, rounds * 5);
      expect(written.at(-1)).toBe(`*2\r\n:${rounds}\r\n:${rounds}\r\n`);
      const pairs = seen.filter((reply) => reply.startsWith("*2"));
      expect(pairs).toHaveLength(rounds * 2);
      for (const pair of pairs) {
        const [, a, b] = /^\*2\r\n(\$[^$]*)(\$[^$]*)$/.exec(pair) ?? [];
        expect(a).toBe(b);
      }
    });

    test("EXEC sees to it that watched keys are as they were", async () => {
      const [first, second] = [client(), client()];
      first.sends("RPUSH l a\r\nSADD s a\r\nSET v 1\r\n");
      await replies(first, 3);
      for (const [change, isChange] of [
        ["SET v 2", true],
        ["SET v 2", false],
        ["PEXPIRE v 100000000", true],
        ["LSET l 0 b", true],
        ["SADD s b", true],
        ["SADD s b", false],
        ["DEL l", true],
        ["SET other 1", false],
        ["GET v", false],
      ] as const) {
        first.sends("WATCH v l s\r\n");
        await replies(first, 1);
        second.sends(`${change}\r\n`);
        await replies(second, 1);
        first.sends("MULTI\r\nPING\r\nEXEC\r\n");
        const [, , outcome] = await replies(first, 3);
        expect(outcome, change).toBe(isChange ? "*-1\r\n" : "*1\r\n+PONG\r\n");
      }
    });

    test("increments of many clients are all counted", async () => {
      const clients = Array.from({ length: 20 }, client);
      for (const socket of clients) socket.sends("INCR n\r\n".repeat(50));
      const all = await Promise.all(clients.map((socket) => replies(socket, 50)));
      expect(new Set(all.flat()).size).toBe(1_000);
      for (const own of all) {
        const numbers = own.map((reply) => Number(reply.slice(1)));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
    });

    test("BLPOP, BLMOVE and popFirstWait are served in turn", async () => {
      const order: string[] = [];
      const [first, second, third] = [client(), client(), client()];
      first.sends("BLPOP other q 0\r\n");
      while (![...door.sessions.values()].some(({ isBlocked }) => isBlocked)) await turn();
      const waiting = kv.popFirstWait("q").then((element) => order.push(`kv ${element}`));
      second.sends("BLMOVE q moved LEFT RIGHT 0\r\n");
      third.sends("BLPOP moved 0\r\n");
      // What comes later finds nothing, because it comes behind those who wait.
      const late = client();
      for (let turns = 0; turns < 50; turns++) await turn();
      late.sends("RPUSH q 1 2 3\r\nLPOP q\r\nEXISTS q moved\r\n");
      expect(await replies(late, 3)).toEqual([":3\r\n", "$-1\r\n", ":0\r\n"]);
      await waiting;
      expect(await replies(first, 1)).toEqual(["*2\r\n$1\r\nq\r\n$1\r\n1\r\n"]);
      expect(order).toEqual(["kv 2"]);
      expect(await replies(second, 1)).toEqual(["$1\r\n3\r\n"]);
      expect(await replies(third, 1)).toEqual(["*2\r\n$5\r\nmoved\r\n$1\r\n3\r\n"]);
    });

    test("an element that kv appends ends a BLPOP, and a pipeline goes on behind it", async () => {
      const socket = client();
      socket.sends("BLPOP q 0\r\nPING\r\n");
      await turn();
      await kv.append("q", "x");
      expect(await replies(socket, 2)).toEqual(["*2\r\n$1\r\nq\r\n$1\r\nx\r\n", "+PONG\r\n"]);
    });

    test("inside a transaction nobody waits", async () => {
      const socket = client();
      socket.sends("MULTI\r\nBLPOP q 0\r\nRPUSH q a\r\nBLPOP q 0\r\nEXEC\r\n");
      const got = await replies(socket, 5);
      expect(got.at(-1)).toBe("*3\r\n*-1\r\n:1\r\n*2\r\n$1\r\nq\r\n$1\r\na\r\n");
    });
  });
}
