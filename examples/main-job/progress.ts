// Progress: one line that renews itself on a terminal, a line every second elsewhere.

export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const terminalIntervalMs = 100;
const plainIntervalMs = 1_000;
const clearLine = "\r\u001b[2K";

export const formatCount = (count: number): string => Math.round(count).toLocaleString("en-US");

/** Writes a line that stays, whatever progress is being shown. */
export function writeLine(output: Output, line: string): void {
  output.write(`${output.isTTY === true ? clearLine : ""}${line}\n`);
}

/** Shows progress until the function that it returns is called. */
export function showProgress(output: Output, describe: (seconds: number) => string): () => void {
  const startedAt = performance.now();
  const isTerminal = output.isTTY === true;
  const show = () => {
    const seconds = (performance.now() - startedAt) / 1_000;
    const line = `${seconds.toFixed(1)} s  ${describe(seconds)}`;
    // A line that wraps cannot be cleared.
    output.write(isTerminal ? clearLine + line.slice(0, (output.columns ?? 80) - 1) : `${line}\n`);
  };
  const timer = setInterval(show, isTerminal ? terminalIntervalMs : plainIntervalMs);
  return () => {
    clearInterval(timer);
    if (isTerminal) output.write(clearLine);
  };
}
