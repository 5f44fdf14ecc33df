// Reference for CSV: Go's `encoding/csv` with strict quotes and any number of fields, written down
// plainly, character by character. Slow and simple, so that it can be believed.

/** The records before the first mistake, and what kind of mistake it is. */
export interface Parsed {
  readonly records: string[][];
  readonly error?: "bare quote" | "text behind quote" | "unclosed";
}

export function parseReference(text: string, delimiter: string): Parsed {
  const records: string[][] = [];
  // Line ends are "\n" from here on, also within quotes, and the "\r" at the end of the file is gone.
  const source = text.replaceAll("\r\n", "\n").replace(/\r$/, "");
  let at = 0;
  while (at < source.length) {
    if (source[at] === "\n") {
      at++;
      continue;
    }
    const record: string[] = [];
    for (;;) {
      let field = "";
      if (source[at] === '"') {
        at++;
        for (;;) {
          if (at >= source.length) return { records, error: "unclosed" };
          if (source[at] === '"' && source[at + 1] === '"') {
            field += '"';
            at += 2;
          } else if (source[at] === '"') {
            at++;
            break;
          } else field += source[at++];
        }
        const ends = at >= source.length || source[at] === "\n" || source.startsWith(delimiter, at);
        if (!ends) return { records, error: "text behind quote" };
      } else {
        while (at < source.length && source[at] !== "\n" && !source.startsWith(delimiter, at)) {
          if (source[at] === '"') return { records, error: "bare quote" };
          field += source[at++];
        }
      }
      record.push(field);
      if (at >= source.length) break;
      if (source[at] === "\n") {
        at++;
        break;
      }
      at += delimiter.length;
    }
    records.push(record);
  }
  return { records };
}
