// The page docs/errors.md lists exactly the catalogue, and the catalogue is complete: one exported
// class for each entry, and every name that callers of the predecessors dispatch on.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import * as errors from "../../src/base/errors.js";

const exported = { ...errors };
const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");

/** The catalogue of the contract that this library keeps, in its order. */
const contractNames = `
  KeyNotFoundError InvalidCursorError InvalidOptionsError InvalidBackendError
  InvalidSerializationError KVOptionsConflictError ValueNumberRequiredError ValueParseError
  SerializerError UnsupportedValueTypeError MetricsUnavailableError BackupOptionsRequiredError
  RestoreOptionsRequiredError BackupInProgressError RestoreInProgressError OperationCanceledError
  StoreReadOnlyError StoreClosedError DatabaseNotOpenError SnapshotNotFoundError
  SnapshotPermissionError SnapshotExportError SnapshotIOError SnapshotReadError
  SnapshotBudgetExceededError SnapshotKeyMissingError DiskPathError DiskStoreOpenError
  BucketNotFoundError DiskStoreReadError DiskStoreWriteError DiskStoreDeleteError
  DiskStoreExistsError DiskStoreScanError DiskStoreSizeError DiskStoreIndexError
  KeyListRebuildError InternalStoreError UnexpectedStoreOutputError UnknownError
`
  .trim()
  .split(/\s+/);
const ownNames = `
  WrongTypeError StaleClaimError BackendUnavailableError
  ServerConnectionError ServerAccessError ServerUnsuitableError ServerRefusedError
  OutcomeUnknownError CopyTargetError CopyDifferenceError RequestRefusedError ServerListenError
`
  .trim()
  .split(/\s+/);

function rowOf({ name, code, when, remedy }: errors.ErrorEntry): string {
  return `| \`${name}\` | \`${code}\` | ${when} | ${remedy} |`;
}

/** `KVOptionsConflictError` -> `ANYKV_KV_OPTIONS_CONFLICT`. */
function codeFor(name: string): string {
  const words = name.replace(/Error$/, "").match(/[A-Z]+(?=[A-Z][a-z]|$)|[A-Z][a-z]+/g) ?? [];
  return ["anykv", ...words].join("_").toUpperCase();
}

describe("docs/errors.md", () => {
  test("has exactly one row for each entry of the catalogue, in its order", () => {
    const rows = page.split("\n").filter((line) => line.includes("| `ANYKV_"));
    expect(rows).toEqual(errors.errorCatalogue.map(rowOf));
  });

  test("names no code that is not in the catalogue", () => {
    const codes = new Set<string>(errors.errorCatalogue.map(({ code }) => code));
    const named = page.match(/ANYKV_\w+/g) ?? [];
    expect(named.filter((code) => !codes.has(code))).toEqual([]);
  });
});

describe("names that nothing raises", () => {
  const source = fileURLToPath(new URL("../../src", import.meta.url));
  const code = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !/^base.error/.test(file))
    .map((file) => readFileSync(join(source, file), "utf8"))
    .join("\n");
  const isNamedInCode = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(code);

  test("all others are told who raises them, by name or by the section that has them", () => {
    const part = (title: string): string => {
      const [, text = ""] = new RegExp(`^## ${title}\n(.*?)^## `, "ms").exec(page) ?? [];
      return text;
    };
    const [told = ""] = part("Who raises what").split("\nNothing raises the names");
    const sections = [...told.matchAll(/\[(.*?)\]\(#.*?\)/g)].map(([, title = ""]) => part(title));
    expect(sections.length).toBeGreaterThan(1);
    const places = [told, ...sections].join("\n");
    const untold = errors.errorCatalogue
      .map(({ name }) => name)
      .filter((name) => isNamedInCode(name) && !places.includes(`\`${name}\``));
    expect(untold).toEqual([]);
  });

  test("are listed, and no others are", () => {
    const [, list = ""] = /^Nothing raises the names (.*?), which/ms.exec(page) ?? [];
    const listed = list.match(/\w+Error/g) ?? [];
    const unraised = errors.errorCatalogue
      .map(({ name }) => name)
      .filter((name) => !isNamedInCode(name));
    expect(listed.toSorted()).toEqual(unraised.toSorted());
  });
});

describe("the catalogue", () => {
  test("has every name of the contract and our own, each once", () => {
    expect(contractNames).toHaveLength(40);
    const names = errors.errorCatalogue.map(({ name }) => name);
    expect(names.toSorted()).toEqual([...contractNames, ...ownNames].toSorted());
  });

  test.each(errors.errorCatalogue)("$name is an exported class with code $code", (entry) => {
    const errorClass = exported[entry.name];
    expect(errorClass.name).toBe(entry.name);
    const error: errors.KvError = new errorClass("message");
    expect(error).toBeInstanceOf(errors.KvError);
    expect(error).toMatchObject({ name: entry.name, code: entry.code });
    expect(entry.code).toBe(codeFor(entry.name));
  });

  test("says when and what to do in one sentence each, fit for a table", () => {
    for (const { when, remedy } of errors.errorCatalogue) {
      for (const sentence of [when, remedy]) expect(sentence).toMatch(/^[`A-Z][^|\n]+[^.]\.$/);
    }
  });

  test("exports no error class beside the catalogue", () => {
    const classes = Object.keys(exported).filter(
      (name) => /Error$/.test(name) && name !== "isKvError",
    );
    const names: string[] = errors.errorCatalogue.map(({ name }) => name);
    expect(classes.toSorted()).toEqual([...names, "KvError"].toSorted());
  });
});
