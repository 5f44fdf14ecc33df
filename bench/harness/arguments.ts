// Arguments of `npm run bench`.

import { parseArgs } from "node:util";
import type { Effort } from "./workload.js";

export interface Arguments {
  readonly effort: Effort;
  /** Empty: every workload. */
  readonly only: readonly string[];
  readonly list: boolean;
  readonly help: boolean;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
  /** Where files are kept during the run; undefined: the first of the usual places on a real disk. */
  readonly directory: string | undefined;
}

export const usage = `Usage: npm run bench -- [options]

  --quick          tiny sizes: checks the answers, measures nothing
  --only NAME      run this workload alone; may be given several times
  --list           print the names of the workloads
  --json FILE      write every sample
  --markdown FILE  write the tables
  --dir DIRECTORY  keep files in a new directory in there; default: the system's temporary one, or,
                   when that is in memory, another on a disk
`;

/** Throws a TypeError that says what is wrong. */
export function parseArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      json: { type: "string" },
      markdown: { type: "string" },
      dir: { type: "string" },
    },
  });
  const { only, list, help, json, markdown, dir: directory } = values;
  return { effort: values.quick ? "quick" : "full", only, list, help, json, markdown, directory };
}
