import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareByteOrder } from "../../src/base/byte-order.js";
import { type FetchPage, MergedRows, mergedPage } from "../../src/remote/merge.js";

const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 });
const spread = fc.uniqueArray(key, { maxLength: 40 }).chain((keys) =>
  fc.record({
    keys: fc.constant(keys),
    places: fc.array(fc.nat(2), { minLength: keys.length, maxLength: keys.length }),
  }),
);

/** Pages of at most 3 rows, whatever is asked for, as large values make them. */
function fetchFrom(parts: readonly (readonly string[])[]): FetchPage<string> {
  return async (partition, after, limit) => {
    const rows = (parts[partition] ?? []).filter(
      (each) => after === "" || compareByteOrder(each, after) > 0,
    );
    const page = rows.slice(0, Math.min(limit, 3));
    return { rows: page, done: page.length === rows.length };
  };
}

describe("merging pages", () => {
  test("gives what one sorted list would give", async () => {
    const property = fc.asyncProperty(spread, fc.nat(12), key, async (given, limit, after) => {
      const sorted = given.keys.toSorted(compareByteOrder);
      const parts = [0, 1, 2].map((part) => sorted.filter((_, at) => given.places[at] === part));
      const fetch = fetchFrom(parts);
      const rest = sorted.filter((each) => compareByteOrder(each, after) > 0);
      const expected = limit === 0 ? rest : rest.slice(0, limit);
      const page = await mergedPage(3, { after, limit }, fetch, (row) => row);
      expect(page.rows).toStrictEqual(expected);
      expect(page.done).toBe(expected.length === rest.length);
    });
    await fc.assert(property);
  });

  test("goes on where it stopped", async () => {
    const fetch = fetchFrom([["a", "d"], ["b"], ["c", "e"]]);
    const rows = new MergedRows(3, "", fetch, (row: string) => row);
    expect(await rows.take(2)).toStrictEqual({ rows: ["a", "b"], done: false });
    expect(await rows.take(2)).toStrictEqual({ rows: ["c", "d"], done: false });
    expect(await rows.take(2)).toStrictEqual({ rows: ["e"], done: true });
  });

  test("ends with the row that makes a page large enough", async () => {
    const fetch = fetchFrom([["a", "dddd"], ["b"], ["cccc", "e"]]);
    const page = (after: string, bytesMax: number) =>
      mergedPage(
        3,
        { after, limit: 0, bytesMax },
        fetch,
        (row) => row,
        (row) => row.length,
      );
    expect(await page("", 1)).toStrictEqual({ rows: ["a"], done: false });
    expect(await page("", 5)).toStrictEqual({ rows: ["a", "b", "cccc"], done: false });
    expect(await page("b", 9)).toStrictEqual({ rows: ["cccc", "dddd", "e"], done: true });
    expect(await page("b", 99)).toStrictEqual({ rows: ["cccc", "dddd", "e"], done: true });
  });

  test("an error of one partition is the error of the page", async () => {
    const fetch: FetchPage<string> = async (partition) => {
      if (partition === 1) throw new Error("lost");
      return { rows: ["a"], done: true };
    };
    await expect(mergedPage(2, { after: "", limit: 0 }, fetch, (row) => row)).rejects.toThrow(
      "lost",
    );
  });
});
