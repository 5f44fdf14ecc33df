// Real k6 for tests: scripts run in a directory of their own, beside the module as the build makes
// it. `scripts/k6-binary.sh` builds k6; without it these tests fail where CI is set.

import { execFileSync, spawn } from "node:child_process";
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleK6 } from "../../scripts/k6-bundle.mjs";
import { lackOf } from "../remote/servers.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const builder = join(root, "scripts", "k6-binary.sh");

/** With the extension for Redis, or without any. */
export type K6Kind = "k6" | "k6-stock";

function k6Path(kind: K6Kind): string | undefined {
  try {
    const folder = execFileSync("bash", [builder, "--path"], { encoding: "utf8" }).trim();
    accessSync(join(folder, kind), constants.X_OK);
    return join(folder, kind);
  } catch {
    return undefined;
  }
}

/** Why tests with k6 and a server cannot run here; undefined: they can. */
export function lackOfK6(): string | undefined {
  const built = k6Path("k6") !== undefined && k6Path("k6-stock") !== undefined;
  return built ? lackOf("valkey") : "k6 must have been built by scripts/k6-binary.sh";
}

export interface K6Run {
  /** 99 when a threshold was crossed. */
  readonly exitCode: number | null;
  /** What the script has logged, line by line. */
  readonly lines: readonly string[];
  /** The errors that k6 has told of. */
  readonly errors: string;
  readonly metrics: Readonly<Record<string, K6Metric>>;
}

/** Of `--summary-export`. */
export interface K6Metric {
  readonly count?: number;
  readonly value?: number;
  readonly max?: number;
  readonly passes?: number;
  readonly fails?: number;
  readonly thresholds?: Readonly<Record<string, boolean>>;
}

export interface K6Options {
  readonly kind?: K6Kind;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export class K6Directory {
  readonly path: string;
  #runs = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** With `k6.js` in it. */
  static async create(): Promise<K6Directory> {
    const path = mkdtempSync(join(tmpdir(), "anykv-k6-"));
    await bundleK6(root, path);
    return new K6Directory(path);
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }

  /** Runs a script of the project. */
  runFile(path: string, options?: K6Options): Promise<K6Run> {
    const copy = join(this.path, basename(path));
    // Another process may be reading it.
    if (!existsSync(copy)) copyFileSync(join(root, path), copy);
    return this.#run(basename(path), options);
  }

  /** Runs a script given as text. */
  runText(text: string, options?: K6Options): Promise<K6Run> {
    const name = `script-${this.#runs}.js`;
    writeFileSync(join(this.path, name), text);
    return this.#run(name, options);
  }

  async #run(script: string, options: K6Options = {}): Promise<K6Run> {
    const { kind = "k6", env = {}, args = [] } = options;
    const summary = `summary-${this.#runs++}.json`;
    const quiet = ["--quiet", "--no-usage-report", "--no-color"];
    const words = ["run", ...quiet, "--log-format", "json", "--summary-export", summary, ...args];
    const { exitCode, text } = await this.#spawn(k6Path(kind) as string, [...words, script], env);
    return { exitCode, ...sorted(text), metrics: this.#metricsIn(summary) };
  }

  #spawn(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<{ exitCode: number | null; text: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: this.path,
        env: { ...process.env, K6_AUTO_EXTENSION_RESOLUTION: "false", ...env },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let text = "";
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      child.on("error", reject);
      child.on("close", (exitCode) => resolve({ exitCode, text }));
    });
  }

  #metricsIn(summary: string): K6Run["metrics"] {
    try {
      return JSON.parse(readFileSync(join(this.path, summary), "utf8")).metrics;
    } catch {
      return {}; // It has not come so far.
    }
  }
}

/** k6 logs to one stream: what the script says, and what k6 says of it. */
function sorted(text: string): Pick<K6Run, "lines" | "errors"> {
  const [lines, errors]: [string[], string[]] = [[], []];
  // The client of the extension has a log of its own.
  const all = text.split("\n").filter((line) => line !== "" && !line.startsWith("redis: "));
  for (const line of all) {
    const entry = line.startsWith("{") ? JSON.parse(line) : { level: "error", msg: line };
    if (entry.source === "console") lines.push(entry.msg);
    // It warns when the machine is slow.
    else if (entry.level === "error") errors.push(entry.msg);
  }
  return { lines, errors: errors.join("\n") };
}
