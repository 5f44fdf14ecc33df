// What the main job prints, and how its table is read.

import { mainJob } from "../../examples/main-job/job.js";

export class Text {
  text = "";
  readonly isTTY: boolean;

  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}

/** What the table says in a row, and its mark. */
export function row(table: string, name: string): { value: string; mark: string } | undefined {
  const line = table.split("\n").find((candidate) => candidate.startsWith(`  ${name}  `));
  const parts = line
    ?.slice(name.length + 2)
    .trim()
    .split(/ {2,}/);
  return parts && { value: parts[0] ?? "", mark: parts[1] ?? "" };
}

export const numberIn = (table: string, name: string): number =>
  Number.parseInt(row(table, name)?.value.replaceAll(",", "") ?? "", 10);

export async function runMainJob(...args: string[]) {
  const output = new Text();
  const errors = new Text();
  const exitCode = await mainJob(args, output, errors);
  return { exitCode, output: output.text, errors: errors.text };
}
