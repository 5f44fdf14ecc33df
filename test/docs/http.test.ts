// docs/http.md has the reference that the table of operations makes. `ANYKV_WRITE_DOCS=1` writes it.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { httpDefaults } from "../../src/server/http/http-options.js";
import { httpReference } from "./http-reference.js";

const page = new URL("../../docs/http.md", import.meta.url);
const marks = /(<!-- reference -->\n\n).*?(\n\n<!-- end of the reference -->)/s;

test("docs/http.md has the reference that the table makes", () => {
  const text = readFileSync(page, "utf8");
  const made = text.replace(marks, (_all, begin, end) => `${begin}${httpReference()}${end}`);
  expect(text).toMatch(marks);
  if (process.env.ANYKV_WRITE_DOCS === "1") writeFileSync(page, made);
  else expect(text).toBe(made);
});

test("docs/http.md has the defaults of the options", () => {
  const text = readFileSync(page, "utf8");
  for (const value of [httpDefaults.port, httpDefaults.host, httpDefaults.eventStreamsMax]) {
    expect(text).toContain(String(value));
  }
});
