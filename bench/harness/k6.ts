// k6: runs a script of bench/k6 with the module of the build beside it.

import { execFile, execFileSync } from "node:child_process";
import { accessSync, constants, copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WrongAnswerError } from "./answers.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const builder = join(root, "scripts", "k6-binary.sh");

/** Where `scripts/k6-binary.sh` puts it; undefined when it has not been built. */
export function k6Program(): string | undefined {
  try {
    const folder = execFileSync("bash", [builder, "--path"], { encoding: "utf8" }).trim();
    const program = join(folder, "k6");
    accessSync(program, constants.X_OK);
    return program;
  } catch {
    return undefined;
  }
}

/** As `--summary-export` has them. */
export type K6Metrics = Readonly<Record<string, Readonly<Record<string, number>>>>;

export class K6Script {
  readonly #program: string;
  readonly #directory: string;
  readonly #name: string;

  /** The script, and k6.js beside it, in a new folder of `directory`. */
  constructor(program: string, name: string, directory: string) {
    this.#program = program;
    this.#name = name;
    this.#directory = join(directory, "k6");
    mkdirSync(this.#directory);
    copyFileSync(join(root, "bench", "k6", name), join(this.#directory, name));
    copyFileSync(join(root, "dist", "k6.js"), join(this.#directory, "k6.js"));
  }

  /** @throws WrongAnswerError when the script has ended itself, or k6 tells of an error. */
  async run(env: Readonly<Record<string, string>>): Promise<K6Metrics> {
    const summary = join(this.#directory, "summary.json");
    const quiet = ["--quiet", "--no-usage-report", "--no-color", "--summary-export", summary];
    const options = {
      cwd: this.#directory,
      env: { ...process.env, K6_AUTO_EXTENSION_RESOLUTION: "false", ...env },
      maxBuffer: 2 ** 26,
    };
    const running = promisify(execFile)(this.#program, ["run", ...quiet, this.#name], options);
    const { stderr } = await running.catch((error) => error as { stderr: string; code: number });
    if (/level=error|level=fatal/.test(stderr)) throw new WrongAnswerError(stderr);
    return JSON.parse(readFileSync(summary, "utf8")).metrics;
  }
}
