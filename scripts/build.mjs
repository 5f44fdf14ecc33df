// Builds the library (`lib`), or the library and everything that runs on it (`all`).
//
// Each output folder is compiled into a staging folder beside it and put in place by renaming: a
// file whose source is gone never survives, a failed build leaves the last good one, and a process
// that is running from the folder never sees half of it.

import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleK6 } from "./k6-bundle.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");

/** What the package reads at run time, beside the modules that read it. */
const libraryFiles = "remote/library";

/**
 * Returns false, and leaves `outDir` as it was, when the compiler found an error. `complete` adds to
 * the folder before it is put in place.
 */
async function compile(project, outDir, complete = async () => {}) {
  const staging = join(root, `.${outDir}-staging-${process.pid}`);
  const retired = join(root, `.${outDir}-retired-${process.pid}`);
  try {
    const args = [tsc, "-p", project, "--outDir", staging];
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
    if (status !== 0) return false;
    await complete(staging);
    replace(join(root, outDir), staging, retired);
    return true;
  } finally {
    rmSync(staging, { recursive: true, force: true });
    rmSync(retired, { recursive: true, force: true });
  }
}

/** Another build may put its own folder in place between the two renames, hence the attempts. */
function replace(target, staging, retired) {
  for (let attemptsLeft = 10; ; attemptsLeft--) {
    rmSync(retired, { recursive: true, force: true });
    try {
      renameSync(target, retired);
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
    try {
      renameSync(staging, target);
      return;
    } catch (error) {
      const lostTheRace = error.code === "ENOTEMPTY" || error.code === "EEXIST";
      if (!lostTheRace || attemptsLeft === 0) throw error;
    }
  }
}

/** What is no module of Node: files that modules read, and the module for k6 with its types. */
async function completeLibrary(folder) {
  cpSync(join(root, "src", libraryFiles), join(folder, libraryFiles), { recursive: true });
  await bundleK6(root, folder);
  writeFileSync(join(folder, "k6.d.ts"), k6Types());
}

/** In one file, so that it can be copied beside a script together with k6.js. */
function k6Types() {
  const [methods, shapes] = ["k6.d.ts", "k6-shapes.d.ts"].map((name) =>
    readFileSync(join(root, "src", "k6", name), "utf8"),
  );
  const own = methods.replace(/^(?:import|export) type [^;]*from "\.\/k6-shapes\.js";\n\n?/gm, "");
  return `${own}\n${shapes.replace(/^\/\/.*\n\n/, "")}`;
}

const target = process.argv[2] ?? "lib";
if (target !== "lib" && target !== "all") {
  process.stderr.write(`Unknown build target "${target}": expected "lib" or "all".\n`);
  process.exit(2);
}
const built =
  (await compile("tsconfig.build.json", "dist", completeLibrary)) &&
  (target === "lib" || (await compile("tsconfig.examples.json", "build")));
process.exitCode = built ? 0 : 1;
