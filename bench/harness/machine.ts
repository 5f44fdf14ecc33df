// Machine: where and on what a run took place, so that its numbers can be read later.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { dirname, join } from "node:path";

export interface RunFacts {
  readonly date: string;
  readonly command: string;
  readonly revision: string;
  readonly machine: string;
  readonly load: string;
  readonly node: string;
  /** The directory of the files, and its file system. */
  readonly disk: string;
  readonly versions: Readonly<Record<string, string>>;
}

export function runFacts(args: readonly string[], disk: string): RunFacts {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString(),
    command: ["npm run bench", ...(args.length > 0 ? ["--", ...args] : [])].join(" "),
    revision: revision(),
    machine: `${cpus().length} x ${cpu?.model ?? "unknown"}, ${memory} GiB, ${type()} ${release()}`,
    load: loadavg()
      .map((load) => load.toFixed(2))
      .join(" "),
    node: `${process.version} (V8 ${process.versions.v8})`,
    disk,
    versions: packageVersions(),
  };
}

function packageVersions(): Record<string, string> {
  const packages = ["anykv", "keyv", "classic-level", "lmdb"];
  const versions = Object.fromEntries(packages.map((name) => [name, packageVersion(name)]));
  const { sqlite } = process.versions;
  return sqlite === undefined ? versions : { ...versions, SQLite: sqlite };
}

function revision(): string {
  try {
    const commit = git("rev-parse", "--short=12", "HEAD");
    return git("status", "--porcelain") === "" ? commit : `${commit} with uncommitted changes`;
  } catch {
    return "unknown";
  }
}

function git(...args: string[]): string {
  return execFileSync("git", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

// Not every package exports its package.json: look beside its entry, and above.
function packageVersion(name: string): string {
  const require = createRequire(import.meta.url);
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (manifest.name === name) return manifest.version;
    } catch {
      if (folder === dirname(folder)) return "unknown";
    }
  }
}
