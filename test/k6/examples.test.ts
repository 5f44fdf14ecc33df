// The scripts of the seeds run in a real k6 as they stand, but for one import: against a Valkey that
// knows nothing of anykv.

import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, type Server, startServer } from "../remote/servers.js";
import { exampleRuns, examplesFolder } from "./example-runs.js";
import { K6Directory, lackOfK6 } from "./k6.js";

describeWith("examples/k6", lackOfK6(), () => {
  let server: Server;
  let directory: K6Directory;

  beforeAll(async () => {
    [server, directory] = await Promise.all([
      startServer({ kind: "valkey" }),
      K6Directory.create(),
    ]);
  });
  afterAll(async () => {
    await server.stop();
    await directory.remove();
  });

  test("all of them are run here", () => {
    const scripts = readdirSync(new URL(`../../${examplesFolder}`, import.meta.url));
    expect(scripts.filter((name) => name.endsWith(".js")).sort()).toEqual(
      Object.keys(exampleRuns).sort(),
    );
  });

  for (const [name, check] of Object.entries(exampleRuns)) {
    test(name, async () => {
      await server.cli("flushall");
      const run = await directory.runFile(`${examplesFolder}/${name}`, {
        env: { ANYKV_URL: server.url },
      });
      expect(run.errors).toBe("");
      expect(run.exitCode).toBe(0);
      check(run);
    });
  }

  test("the next run finds what the last one has left", async () => {
    await server.cli("flushall");
    const options = { env: { ANYKV_URL: server.url } };
    await directory.runFile(`${examplesFolder}/persistent.js`, options);
    const { lines } = await directory.runFile(`${examplesFolder}/persistent.js`, options);
    expect(lines).toEqual(['found {"at":"the beginning"}, run 2']);
  });
});
