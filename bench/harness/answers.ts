// Answers: a benchmark that computes the wrong thing fast has measured nothing.

export class WrongAnswerError extends Error {
  override readonly name = "WrongAnswerError";
}

/** For hot loops: compare there, call this only when the answer is wrong. */
export function wrong(what: string, expected: unknown, actual: unknown): never {
  throw new WrongAnswerError(
    `${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`,
  );
}

/** Compares by JSON text. */
export function expectAnswer(what: string, expected: unknown, actual: unknown): void {
  if (JSON.stringify(expected) !== JSON.stringify(actual)) wrong(what, expected, actual);
}
