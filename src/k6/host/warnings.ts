// Warnings in k6: stands in the bundle for env/warnings.ts.

import type { Warning } from "../../env/warnings.js";

export type { Warning };

/** Every virtual user runs the same code; one of them warns. */
const speaker = 1;

export function warn({ message, detail }: Warning): void {
  if (__VU !== speaker) return;
  console.warn(`anykv: ${message}${detail === undefined ? "" : ` (${detail})`}`);
}
