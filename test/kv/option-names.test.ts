import { isKvError, type KvError } from "anykv";
import { afterEach, describe, expect, test } from "vitest";
import { checkNames, namedFields, namesOf } from "../../src/kv/option-names.js";
import { normalizeOptions } from "../../src/kv/options/options.js";

const known = namesOf<{ claim: 1; compress: 1; keepTtl: 1; ttl: 1; flushInterval: 1 }>({
  claim: true,
  compress: true,
  keepTtl: true,
  ttl: true,
  flushInterval: true,
});

function refusal(call: () => void): KvError {
  try {
    call();
  } catch (error) {
    if (isKvError(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("an unknown name", () => {
  test.each([
    ["a character mistaken", "tll", "ttl"],
    ["one left out", "clam", "claim"],
    ["one too many", "claaim", "claim"],
    ["two exchanged", "cliam", "claim"],
    ["another case", "KEEPTTL", "keepTtl"],
    ["two slips in a long name", "flushIntrvl", "flushInterval"],
  ])("with %s is refused, and the known one suggested", (_, name, nearest) => {
    const error = refusal(() => checkNames({ [name]: undefined }, known));
    expect(error.name).toBe("InvalidOptionsError");
    expect(error.message).toBe(`option "${name}" is not known; did you mean "${nearest}"?`);
    expect(error.hint).toBe("known are claim, compress, flushInterval, keepTtl, ttl");
  });

  test.each(["colour", "id", "", "x", "t\nt"])("that is like none suggests none: %j", (name) => {
    const { message } = refusal(() => checkNames({ [name]: 1 }, known, "wal."));
    expect(message).toBe(`option ${JSON.stringify(`wal.${name}`)} is not known`);
  });

  test("of any length is told in a few words", () => {
    const { message } = refusal(() => checkNames({ ["x".repeat(1e6)]: 1 }, known));
    expect(message).toBe("an option of 1000000 characters is not known");
  });
});

describe("names that are no mistake", () => {
  afterEach(() => {
    Reflect.deleteProperty(Object.prototype, "added");
  });

  test("known ones, symbols, and what Object.prototype was given", () => {
    Reflect.set(Object.prototype, "added", 1);
    const options = { ttl: 1, keepTtl: undefined, [Symbol("s")]: 1 };
    expect(namedFields(options, known)).toBe(options);
    expect(namedFields(null, known)).toEqual({});
  });
});

describe("groups of openKv", () => {
  test.each([
    [{ wal: { syncWrite: true } }, "wal.syncWrite", "wal.syncWrites"],
    [{ shared: { timeot: "1s" } }, "shared.timeot", "shared.timeout"],
  ])("refuse unknown names for every backend: %j", (group, name, nearest) => {
    for (const backend of ["memory", "wal", "disk", "shared"]) {
      const { message } = refusal(() => normalizeOptions({ backend, ...group }));
      expect(message).toBe(`option "${name}" is not known; did you mean "${nearest}"?`);
    }
  });

  test("that the seeds have take any, as they did there", () => {
    const any = { colour: "red" };
    for (const backend of ["memory", "wal", "disk", "shared"]) {
      normalizeOptions({ backend, ...any, memory: any, disk: any, metrics: any });
    }
  });
});
