// Pieces of text that the reports for people have in common.

export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** That a store is not whole, of the note that a copy has left in it. */
export function unfinishedCopyLines(note: string | undefined): string[] {
  if (note === undefined) return [];
  return [
    `A copy into it has not come to its end, so rows may be missing: ${note}.`,
    "Start the same `anykv copy` again, or --replace the store.",
  ];
}
