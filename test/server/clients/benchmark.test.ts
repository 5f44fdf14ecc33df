// valkey-benchmark and redis-benchmark, the real programs, at our doors: every default test of theirs
// for which there are commands here.

import { execFile } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, findProgram } from "../../remote/servers.js";
import { type ClientServer, ourPlaces } from "./places.js";

const served = [
  ...["ping_inline", "ping_mbulk", "set", "get", "incr", "lpush", "rpush", "lpop", "rpop", "sadd"],
  ...["hset", "spop", "lrange_100", "lrange_300", "lrange_500", "lrange_600", "mset"],
];
const calls = 400;

for (const program of ["valkey-benchmark", "redis-benchmark"]) {
  const lack = findProgram(program) === undefined ? `${program} must be on the PATH` : undefined;
  for (const place of ourPlaces()) {
    describeWith(`${program} at ${place.name}`, lack, () => {
      let server: ClientServer;
      beforeAll(async () => {
        server = await place.start();
      });
      afterAll(async () => {
        await server.stop();
        await place.close();
      });

      /** The names of the tests that were measured, and what else it has said. */
      function run(...args: string[]): Promise<{ measured: string[]; said: string }> {
        const all = ["-p", `${server.port}`, "-n", `${calls}`, "--csv", ...args];
        return new Promise((resolve) => {
          execFile(program, all, (_error, out, said) => {
            const rows = out.matchAll(/^"([^"]+)","([\d.]+)"/gm);
            const measured = [...rows].filter(([, , rate]) => Number(rate) > 0);
            resolve({ measured: measured.map(([, name = ""]) => name), said: out + said });
          });
        });
      }

      const plain = [["-P", "1"]];
      const more = [
        ["-P", "16", "-r", "1000"],
        ["-3", "-d", "512"],
      ];
      test.each([...plain, ...(program === "valkey-benchmark" ? more : [])].map((args) => [args]))(
        "%j",
        async (args) => {
          const { measured, said } = await run("-t", served.join(), ...args);
          expect(said).not.toMatch(/error|warning/i);
          const names = measured.map((name) => name.split(" ")[0]?.toLowerCase());
          expect(names.filter((name) => name !== "lpush").sort()).toEqual(
            served.filter((name) => name !== "lpush").sort(),
          );
          // Lists are filled by a further one before LRANGE.
          expect(names.filter((name) => name === "lpush")).toHaveLength(2);
        },
      );

      test.each([
        ["zadd", "ZADD"],
        ["zpopmin", "ZPOPMIN"],
      ])("%s, which is not offered: it says so, and the server goes on", async (name, command) => {
        const { measured, said } = await run("-t", name);
        expect(measured).toEqual([]);
        expect(said).toContain(`ERR unknown command '${command}', with args beginning with: 'my`);
        expect((await run("-t", "incr")).measured).toEqual(["INCR"]);
      });

      test("a command of one's own", async () => {
        const { measured } = await run(
          "--threads",
          "2",
          "-r",
          "100",
          "SET",
          "key:__rand_int__",
          "x",
        );
        expect(measured).toEqual(["SET key:__rand_int__ x"]);
      });
    });
  }
}
