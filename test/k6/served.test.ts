// The scripts of the seeds, the traps and a crowd in a real k6 against `anykv serve`: by the RESP door,
// and by HTTP from a k6 without any extension.

import { copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../remote/servers.js";
import { exampleRuns, examplesFolder } from "./example-runs.js";
import { K6Directory, type K6Kind, lackOfK6 } from "./k6.js";
import { type ServedStore, startServed } from "./served-store.js";

const token = "a-token-of-the-tests";
const timeout = 300_000;

const settings = [
  { door: "resp", backend: "memory" },
  { door: "resp", backend: "wal" },
  { door: "http", backend: "memory" },
  { door: "http", backend: "wal" },
] as const;

for (const { door, backend } of settings) {
  const title = `k6 by the door ${door} to a store with the backend ${backend}`;
  const kind: K6Kind = door === "resp" ? "k6" : "k6-stock";
  describeWith(title, lackOfK6(), () => {
    let directory: K6Directory;
    let served: ServedStore;

    beforeAll(async () => {
      [directory, served] = await Promise.all([K6Directory.create(), startServed(backend, token)]);
      const proof = fileURLToPath(new URL("./scripts/proof.js", import.meta.url));
      copyFileSync(proof, join(directory.path, "proof.js"));
    });
    afterAll(async () => {
      await directory.remove();
      await served.stop();
    });

    const env = (): Record<string, string> => ({ ANYKV_URL: served[door], ANYKV_TOKEN: token });

    for (const [name, check] of Object.entries(exampleRuns)) {
      test(name, { timeout }, async () => {
        await served.kv.clear();
        const run = await directory.runFile(`${examplesFolder}/${name}`, { kind, env: env() });
        expect(run.errors).toBe("");
        expect(run.exitCode).toBe(0);
        check(run);
      });
    }

    for (const script of ["traps", "files"]) {
      test(`springs none of the traps: ${script}`, { timeout }, async () => {
        const setting = { BACKEND: "memory", TRACK_KEYS: "true", FILES: "true" };
        const options = { kind, env: { ...env(), ...setting } };
        const run = await directory.runFile(`test/k6/scripts/${script}.js`, options);
        expect(run.errors).toBe("");
        expect(run.lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
        expect(run.lines).not.toEqual([]);
      });
    }

    test("files are made where the server has them, and nowhere else", () => {
      expect(readdirSync(served.files)).not.toEqual([]);
      expect(readdirSync(served.directory).sort()).toEqual(
        backend === "wal" ? ["files", "store"] : ["files"],
      );
    });

    if (door === "resp") return; // Crowds by this door have a file of their own.
    test("100 virtual users claim every key once and count exactly", { timeout }, async () => {
      await served.kv.clear();
      const sizes = { PROCESS: "one", FILL: "true", KEYS: "300", INCREMENTS: "20" };
      const options = { kind, env: { ...env(), ...sizes } };
      const { errors, exitCode } = await directory.runFile("test/k6/scripts/crowd.js", options);
      expect({ errors, exitCode }).toEqual({ errors: "", exitCode: 0 });
      expect(await served.kv.get("counter")).toBe(2000);
      expect(new Set(await served.kv.range("done")).size).toBe(300);
    });
  });
}
