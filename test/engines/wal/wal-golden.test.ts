// Golden files: directories of every version of the format, frozen, and what becomes of them.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isKvError } from "anykv";
import { expect, test } from "vitest";
import { repairWal } from "../../../src/engines/wal/repair.js";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import { mendRows } from "../../../src/operations/mend.js";
import type { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { makeGolden } from "./golden/make.js";
import { dumpOf } from "./recorded-history.js";
import { diskWith, envOn, type FileSet, filesOn, storePath } from "./wal-files.js";

const golden = fileURLToPath(new URL("golden", import.meta.url));
const isMaking = process.env.ANYKV_MAKE_GOLDEN === "1";
if (isMaking) await makeGolden(golden);

function namesIn(path: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

function filesOf(name: string): FileSet {
  const files: FileSet = new Map();
  for (const directory of namesIn(`${golden}/${name}`)) {
    for (const file of readdirSync(`${golden}/${name}/${directory}`)) {
      const path = `${directory}/${file}`;
      files.set(path, readFileSync(`${golden}/${name}/${path}`));
    }
  }
  return files;
}

/** The error by name and place: what it says may be said better one day. */
function told(error: unknown): string {
  if (!isKvError(error)) throw error;
  return `${error.name} ${/at byte \d+ of \S+/.exec(error.message)?.[0]}`;
}

async function opened(disk: SimulatedDisk): Promise<string> {
  try {
    const options = { ...walDefaults, path: storePath, trackKeys: false };
    const engine = await WalEngine.open(envOn(disk), options);
    const dump = await engine.read(dumpOf, undefined);
    const { tornBytes } = engine.recovered;
    await engine.close();
    return `opens, ${tornBytes} bytes torn\n${dump}`;
  } catch (error) {
    return told(error);
  }
}

async function verified(disk: SimulatedDisk): Promise<string> {
  try {
    const { opens, problems, tornBytes } = await verifyWal(envOn(disk), storePath);
    const lines = problems.map(({ path, offset, bytes }) => `${path} at ${offset}, ${bytes} bytes`);
    return [`opens: ${opens}, ${tornBytes} bytes torn`, ...lines].join("\n");
  } catch (error) {
    return told(error);
  }
}

async function repaired(disk: SimulatedDisk): Promise<string> {
  try {
    const report = await repairWal(envOn(disk), storePath, { mend: mendRows });
    const lost = report.lostRecords.map(({ first, last }) => `records ${first} to ${last}`);
    return [`changed: ${report.changed}`, ...lost, await opened(disk)].join("\n");
  } catch (error) {
    return told(error);
  }
}

async function outcomeOf(files: FileSet): Promise<string> {
  const sections = {
    open: await opened(diskWith(files)),
    verify: await verified(diskWith(files)),
    repair: await repaired(diskWith(files)),
  };
  const lines = Object.entries(sections).map(([name, text]) => `--- ${name}\n${text}\n`);
  return lines.join("");
}

test.each(namesIn(golden))("%s", async (name) => {
  const files = filesOf(name);
  const path = `${golden}/${name}/expected.txt`;
  const outcome = await outcomeOf(files);
  if (isMaking && !existsSync(path)) writeFileSync(path, outcome);
  expect(outcome).toBe(readFileSync(path, "utf8"));
});

test("no golden file has been touched", () => {
  const sums = namesIn(golden).flatMap((name) =>
    [...filesOf(name)].map(([path, bytes]) => {
      const sum = createHash("sha256").update(bytes).digest("hex");
      return `${sum}  ${name}/${path}`;
    }),
  );
  const path = `${golden}/sums.txt`;
  if (isMaking) writeFileSync(path, `${sums.join("\n")}\n`);
  expect(`${sums.join("\n")}\n`).toBe(readFileSync(path, "utf8"));
});

test("an unchanged directory is read, not rewritten", async () => {
  const files = filesOf("v1-clean");
  const disk = diskWith(files);
  await verifyWal(envOn(disk), storePath);
  expect(filesOn(disk)).toEqual(files);
});
