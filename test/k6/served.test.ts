// The scripts of the seeds, the traps and a crowd in a real k6 against stores of this process: by the
// RESP door, and by HTTP from a k6 without any extension.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Kv, openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Handle } from "../../src/kv/handle.js";
import {
  functionCommands,
  functionLibraryOf,
} from "../../src/server/functions/function-commands.js";
import { natureOf } from "../../src/server/functions/function-library.js";
import { wireReply } from "../../src/server/functions/function-reply.js";
import { openHttpDoor } from "../../src/server/http/http-door.js";
import { openRespDoor } from "../../src/server/resp/resp-door.js";
import { describeWith } from "../remote/servers.js";
import { exampleRuns, examplesFolder } from "./example-runs.js";
import { K6Directory, type K6Kind, lackOfK6 } from "./k6.js";

interface Door {
  readonly url: string;
  close(): Promise<void>;
}

interface Setting {
  readonly backend: "memory" | "wal";
  readonly kind: K6Kind;
  readonly open: (kv: Kv, files: string) => Promise<Door>;
  /** Whether it does work on files. */
  readonly files: boolean;
}

const token = "a-token-of-the-tests";
const timeout = 300_000;

// When `serve` opens both doors, these two become calls of it.
async function respDoor(kv: Kv): Promise<Door> {
  const name = { prefix: "anykv", store: "" };
  const commands = (served: Parameters<typeof functionCommands>[0]) =>
    functionCommands(served, name);
  const door = await openRespDoor(kv, { port: 0 }, { commands });
  return { url: door.address.url, close: () => door.close() };
}

async function httpDoor(kv: Kv, filesDirectory: string): Promise<Door> {
  const library = functionLibraryOf(await Handle.served(kv));
  const call = async ({ operation, args }: { operation: string; args: readonly Uint8Array[] }) =>
    wireReply(await library.call(operation, args as never)) as never;
  const functions = { natureOf, call: call as never };
  const door = await openHttpDoor(kv, { port: 0, tokens: [token], filesDirectory }, { functions });
  return { url: door.address.url, close: () => door.close() };
}

const settings: Readonly<Record<string, Setting>> = {
  "the RESP door, memory": { backend: "memory", kind: "k6", open: respDoor, files: false },
  "the RESP door, wal": { backend: "wal", kind: "k6", open: respDoor, files: false },
  "the HTTP door, memory": { backend: "memory", kind: "k6-stock", open: httpDoor, files: true },
  "the HTTP door, wal": { backend: "wal", kind: "k6-stock", open: httpDoor, files: true },
};

for (const [title, { backend, kind, open, files }] of Object.entries(settings)) {
  describeWith(`k6 by ${title}`, lackOfK6(), () => {
    let directory: K6Directory;
    let scratch: string;
    let own: Kv;
    let door: Door;

    beforeAll(async () => {
      directory = await K6Directory.create();
      const proof = fileURLToPath(new URL("./scripts/proof.js", import.meta.url));
      copyFileSync(proof, join(directory.path, "proof.js"));
      scratch = mkdtempSync(join(tmpdir(), "anykv-k6-served-"));
      const path = join(scratch, "store");
      own = openKv({ backend, name: title, ...(backend === "wal" ? { path } : {}) });
      door = await open(own, scratch);
    });
    afterAll(async () => {
      await door.close();
      await own.close();
      await directory.remove();
      rmSync(scratch, { recursive: true, force: true });
    });

    const env = (): Record<string, string> => ({ ANYKV_URL: door.url, ANYKV_TOKEN: token });

    for (const [name, check] of Object.entries(exampleRuns)) {
      test(name, { timeout }, async () => {
        await own.clear();
        const run = await directory.runFile(`${examplesFolder}/${name}`, { kind, env: env() });
        expect(run.errors).toBe("");
        check(run);
      });
    }

    for (const script of files ? ["traps", "files"] : ["traps"]) {
      test(`springs none of the traps: ${script}`, { timeout }, async () => {
        const setting = { BACKEND: "memory", TRACK_KEYS: "true", FILES: String(files) };
        const options = { kind, env: { ...env(), ...setting } };
        const run = await directory.runFile(`test/k6/scripts/${script}.js`, options);
        expect(run.errors).toBe("");
        expect(run.lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
      });
    }

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
