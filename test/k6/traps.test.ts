// What the scripts of the seeds trip over, in a real k6 against a bare Valkey.

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, type Server, startServer } from "../remote/servers.js";
import { K6Directory, lackOfK6 } from "./k6.js";

const settings: readonly Readonly<Record<string, string>>[] = [
  { BACKEND: "memory", TRACK_KEYS: "true" },
  { BACKEND: "disk", TRACK_KEYS: "false" },
  { BACKEND: "memory", TRACK_KEYS: "false", SERIALIZATION: "string" },
];
/** In test/k6/scripts/traps.js. */
const proofs = 23;

describeWith("traps of the seeds' scripts", lackOfK6(), () => {
  let server: Server;
  let directory: K6Directory;

  beforeAll(async () => {
    [server, directory] = await Promise.all([
      startServer({ kind: "valkey" }),
      K6Directory.create(),
    ]);
    copyFileSync(
      fileURLToPath(new URL("./scripts/proof.js", import.meta.url)),
      join(directory.path, "proof.js"),
    );
  });
  afterAll(async () => {
    await server.stop();
    await directory.remove();
  });

  for (const setting of settings) {
    test(Object.values(setting).join(", "), async () => {
      const env = { ...setting, ANYKV_URL: server.url };
      const run = await directory.runFile("test/k6/scripts/traps.js", { env });
      expect(run.errors).toBe("");
      expect(run.lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
      expect(run.lines).toHaveLength(proofs);
    });
  }
});
