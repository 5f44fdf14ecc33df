// The scripts of the seeds, the traps and a crowd in a real k6 against stores of this process: by the
// RESP door, and by HTTP from a k6 without any extension.

import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Kv, openKv } from "anykv";
import { type KvServer, serve } from "anykv/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../remote/servers.js";
import { exampleRuns, examplesFolder } from "./example-runs.js";
import { K6Directory, type K6Kind, lackOfK6 } from "./k6.js";

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
    let scratch: string;
    let own: Kv;
    let server: KvServer;

    beforeAll(async () => {
      directory = await K6Directory.create();
      const proof = fileURLToPath(new URL("./scripts/proof.js", import.meta.url));
      copyFileSync(proof, join(directory.path, "proof.js"));
      scratch = mkdtempSync(join(tmpdir(), "anykv-k6-served-"));
      const [path, files] = [join(scratch, "store"), join(scratch, "files")];
      mkdirSync(files);
      own = openKv({ backend, name: title, ...(backend === "wal" ? { path } : {}) });
      const options = door === "resp" ? { port: 0 } : { port: 0, tokens: [token] };
      server = await serve(own, { [door]: options, files });
    });
    afterAll(async () => {
      await server.close();
      await own.close();
      await directory.remove();
      rmSync(scratch, { recursive: true, force: true });
    });

    const env = (): Record<string, string> => ({
      ANYKV_URL: server.address[door]?.url ?? "",
      ANYKV_TOKEN: token,
    });

    for (const [name, check] of Object.entries(exampleRuns)) {
      test(name, { timeout }, async () => {
        await own.clear();
        const run = await directory.runFile(`${examplesFolder}/${name}`, { kind, env: env() });
        expect(run.errors).toBe("");
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
      expect(readdirSync(join(scratch, "files"))).not.toEqual([]);
      expect(readdirSync(scratch).sort()).toEqual(
        backend === "wal" ? ["files", "store"] : ["files"],
      );
    });

    test("100 virtual users claim every key once and count exactly", { timeout }, async () => {
      await own.clear();
      const sizes = { PROCESS: "one", FILL: "true", KEYS: "300", INCREMENTS: "20" };
      const options = { kind, env: { ...env(), ...sizes } };
      const { errors, exitCode } = await directory.runFile("test/k6/scripts/crowd.js", options);
      expect({ errors, exitCode }).toEqual({ errors: "", exitCode: 0 });
      expect(await own.get("counter")).toBe(2000);
      expect(new Set(await own.range("done")).size).toBe(300);
    });
  });
}
