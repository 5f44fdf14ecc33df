// What a copy does, whatever the backends on both ends of it.

import type { VirtualEnv } from "anykv/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CopyEnd } from "../../src/transfer/copy-types.js";
import { CopySetting, contentOf, fill, nextToken, type OpenEnd } from "./copy-setting.js";

export interface CopyEnds {
  readonly source: string;
  readonly target: string;
  /** Opens stores of backends that are not in files or in memory. */
  readonly open?: OpenEnd;
}

function useSetting({ open }: CopyEnds): () => CopySetting {
  let setting: CopySetting;
  beforeEach(() => {
    setting = new CopySetting({ open });
  });
  afterEach(() => setting.close());
  return () => setting;
}

export function pairCases(ends: CopyEnds): void {
  describe(`${ends.source} to ${ends.target}`, () => {
    const { source, target } = ends;
    const setting = useSetting(ends);

    test("everything arrives but claims, and no token comes twice", async () => {
      const from = await setting().end(source, "from");
      await fill(from.store, 3_000);
      const to = await setting().end(target, "to");
      const summary = await setting().copy(from, to);
      expect(await contentOf(to.store)).toEqual(await contentOf(from.store));
      expect(summary).toMatchObject({
        resumed: false,
        ...{ written: 3_004 + 2_503 + 1_501, kept: 0, removed: 0 },
        tables: { values: { rows: 3_004 }, arrays: { rows: 2_503 }, filters: { rows: 1_501 } },
      });
      expect((await to.store.allocation("")).claimedLive).toBe(0);
      expect(await to.store.content.note()).toBeUndefined();
      // Three claims were granted in the source.
      const last = await from.store.content.lastToken();
      expect(last).toBeGreaterThanOrEqual(3);
      expect(await nextToken(to.store)).toBeGreaterThan(last);
    });

    test("large values and elements come in many small pages", async () => {
      const from = await setting().end(source, "from");
      const large = "x".repeat(1_000_000);
      for (let number = 0; number < 9; number++) {
        await from.store.set({ key: `large ${number}`, value: `${number}${large}` });
        await from.store.push({ key: "queue", value: `${number}${large}`, end: "last" });
      }
      const to = await setting().end(target, "to");
      let writes = 0;
      const { put } = to.store.content;
      to.store.content.put = (pieces) => {
        writes++;
        expect(JSON.stringify(pieces).length).toBeLessThan(6_000_000);
        return put(pieces);
      };
      await setting().copy(from, to);
      expect(writes).toBeGreaterThanOrEqual(4);
      expect(await contentOf(to.store)).toEqual(await contentOf(from.store));
    });

    test("and back: what came back is what went out", async () => {
      const from = await setting().end(source, "from");
      await fill(from.store, 50);
      const there = await setting().end(target, "there");
      const back = await setting().end(source, "back");
      const out = await setting().copy(from, there);
      const home = await setting().copy(there, back);
      expect(home.tables).toEqual(out.tables);
      expect(await contentOf(back.store)).toEqual(await contentOf(from.store));
    });
  });
}

export function contentCases(ends: CopyEnds): void {
  describe(`the content of the target, ${ends.source} to ${ends.target}`, () => {
    const setting = useSetting(ends);

    let from: CopyEnd;
    let to: CopyEnd;

    beforeEach(async () => {
      from = await setting().end(ends.source, "from");
      to = await setting().end(ends.target, "to");
      await fill(from.store, 20);
    });

    test("a target that holds anything is refused and stays as it is", async () => {
      for (const [index, add] of [
        () => to.store.set({ key: "mine", value: "1" }),
        () => to.store.push({ key: "mine", value: "1", end: "last" }),
        () => to.store.addMember({ bucket: "mine", item: "1" }),
      ].entries()) {
        await to.store.clear(undefined);
        await add();
        const before = await contentOf(to.store);
        await expect(setting().copy(from, to), `${index}`).rejects.toMatchObject({
          name: "CopyTargetError",
          message: "to is not empty",
        });
        expect(await contentOf(to.store)).toEqual(before);
        expect(await to.store.content.note()).toBeUndefined();
      }
    });

    test("what has expired is nothing", async () => {
      await to.store.set({ key: "mine", value: "1", options: { ttl: 10 } });
      (setting().env as VirtualEnv).stall(10);
      await setting().copy(from, to);
      expect(await contentOf(to.store)).toEqual(await contentOf(from.store));
    });

    test("replace: equal in the end, claims included, and what is equal is not written", async () => {
      await setting().copy(from, to);
      await to.store.set({ key: "mine", value: "1" });
      await to.store.push({ key: "key:0:0 array", value: "x", end: "last" });
      await to.store.push({ key: "queue", value: "one more", end: "last" });
      await to.store.push({ key: "stack", value: "one more", end: "first" });
      await to.store.set({ key: "text", value: "another" });
      await to.store.delete({ key: "bytes" });
      await to.store.push({ key: "bytes", value: "an array", end: "last" });
      await to.store.deleteArray({ key: "bits" });
      await to.store.set({ key: "bits", value: "a value" });
      await to.store.persist({ key: "later" });
      await to.store.addMember({ bucket: "mine", item: "1" });
      await to.store.deleteMember({ bucket: "b0", item: "item 0" });
      const token = await nextToken(to.store);
      const summary = await setting().copy(from, to, "replace");
      expect(await contentOf(to.store)).toEqual(await contentOf(from.store));
      expect(summary).toMatchObject({ resumed: false, removed: 4 });
      expect(summary.written).toBe(20 + 2 + 1 + 4);
      expect((await to.store.allocation("")).claimedLive).toBe(0);
      expect(await nextToken(to.store)).toBeGreaterThan(token);
    });

    test("replace: of a long array that has grown only the end is written", async () => {
      const long = await setting().end(ends.source, "long");
      await fill(long.store, 1_500);
      await setting().copy(long, to);
      await to.store.push({ key: "queue", value: "one more", end: "last" });
      const { written, removed } = await setting().copy(long, to, "replace");
      expect({ written, removed }).toEqual({ written: expect.any(Number), removed: 0 });
      expect(written).toBeLessThan(1_000);
      // Nothing lies in the tables that nobody can reach.
      expect(await to.store.content.counts()).toEqual(await long.store.content.counts());
      expect(await contentOf(to.store)).toEqual(await contentOf(long.store));
    });

    test("merge: the source goes over it, the rest stays", async () => {
      await to.store.set({ key: "mine", value: "1" });
      await to.store.set({ key: "text", value: "another" });
      for (let index = 0; index < 30; index++) {
        await to.store.push({ key: "queue", value: "theirs", end: "last" });
      }
      await to.store.addMember({ bucket: "b0", item: "mine" });
      await setting().copy(from, to, "merge");
      const merged = await contentOf(to.store);
      expect(merged).toEqual(expect.arrayContaining(await contentOf(from.store)));
      expect(merged).toHaveLength((await contentOf(from.store)).length + 2);
      expect(await to.store.get("mine")).toBe("1");
    });

    test("the same place is refused", async () => {
      await expect(setting().copy(from, { ...to, identity: "from" })).rejects.toMatchObject({
        name: "CopyTargetError",
      });
    });
  });
}

export function resumeCases(ends: CopyEnds): void {
  describe(`going on, ${ends.source} to ${ends.target}`, () => {
    const setting = useSetting(ends);

    let from: CopyEnd;
    let to: CopyEnd;

    beforeEach(async () => {
      from = await setting().end(ends.source, "from");
      to = await setting().end(ends.target, "to");
      await fill(from.store, 5_000);
      // Killed behind the third write.
      let writes = 0;
      const { content } = to.store;
      const put = content.put;
      content.put = (pieces) => {
        if (++writes > 7) throw new Error("killed");
        return put(pieces);
      };
      await expect(setting().copy(from, to)).rejects.toThrow("killed");
      content.put = put;
    });

    test("what has arrived is not written again", async () => {
      const summary = await setting().copy(from, to);
      expect(summary).toMatchObject({ resumed: true, kept: 5_004 + 1_000, removed: 0 });
      expect(await contentOf(to.store)).toEqual(await contentOf(from.store));
      expect(await to.store.content.note()).toBeUndefined();
    });

    test("from another source: refused", async () => {
      const other = await setting().end(ends.source, "other");
      await other.store.set({ key: "key:0:0", value: "1" });
      const before = await contentOf(to.store);
      await expect(setting().copy(other, to)).rejects.toMatchObject({
        name: "CopyTargetError",
        message: "to is being filled from from",
      });
      expect(await contentOf(to.store)).toEqual(before);
      await setting().copy(other, to, "replace");
      expect(await contentOf(to.store)).toEqual(await contentOf(other.store));
    });

    test("an emptied target still belongs to the copy that was begun", async () => {
      const other = await setting().end(ends.source, "other");
      await other.store.set({ key: "other", value: "1" });
      await to.store.clear(undefined);
      // It may be going on at this moment.
      await expect(setting().copy(other, to)).rejects.toMatchObject({ name: "CopyTargetError" });
      expect(await setting().copy(other, to, "replace")).toMatchObject({ written: 1 });
      expect(await contentOf(to.store)).toEqual(await contentOf(other.store));
    });

    test("another one that begins at the same moment: one of them is refused", async () => {
      const other = await setting().end(ends.source, "other");
      await other.store.set({ key: "other", value: "1" });
      const target = await setting().end(ends.target, "target");
      const copies = [from, other].map((source) => setting().copy(source, target));
      const outcomes = await Promise.allSettled(copies);
      const refused = outcomes.filter(({ status }) => status === "rejected");
      expect(refused).toMatchObject([{ reason: { name: "CopyTargetError" } }]);
      const winner = outcomes[0]?.status === "fulfilled" ? from : other;
      expect(await contentOf(target.store)).toEqual(await contentOf(winner.store));
    });

    test("the source has changed meanwhile: told, nothing overwritten or removed", async () => {
      await from.store.set({ key: "key:1:1", value: "changed" });
      await from.store.delete({ key: "key:2:2" });
      await expect(setting().copy(from, to)).rejects.toMatchObject({
        name: "CopyDifferenceError",
        message: 'to is not equal to the source: 1 different ("key:1:1")',
        hint: expect.stringContaining("from has changed since the copy began"),
      });
      expect(await to.store.get("key:1:1")).toBe('{"number":1}');
      await from.store.set({ key: "key:1:1", value: '{"number":1}' });
      await expect(setting().copy(from, to)).rejects.toMatchObject({
        message: 'to is not equal to the source: 1 too much ("key:2:2")',
      });
      expect(await to.store.get("key:2:2")).toBe('{"number":2}');
      const summary = await setting().copy(from, to, "replace");
      expect(summary).toMatchObject({ resumed: true, removed: 1 });
      expect(await contentOf(to.store)).toEqual(await contentOf(from.store));
    });

    test("elements were taken from the source meanwhile: told", async () => {
      await from.store.pop({ key: "queue", end: "first", check: () => {} });
      await expect(setting().copy(from, to)).rejects.toMatchObject({ name: "CopyDifferenceError" });
      await setting().copy(from, to, "replace");
      expect(await contentOf(to.store)).toEqual(await contentOf(from.store));
    });
  });
}

export function writerCases(ends: CopyEnds): void {
  describe(`writers meanwhile, ${ends.source} to ${ends.target}`, () => {
    const setting = useSetting(ends);

    test.each([
      ["from", "from has changed while it was copied"],
      ["to", "or somebody else has written to to"],
    ])("at %s: the comparison finds it", async (written, hint) => {
      const from = await setting().end(ends.source, "from");
      const to = await setting().end(ends.target, "to");
      await fill(from.store, 20);
      const { raiseToken } = to.store.content;
      let raised = 0;
      to.store.content.raiseToken = async (token) => {
        await raiseToken(token);
        // The second time, everything has been copied.
        if (++raised !== 2) return;
        const { store } = written === "from" ? from : to;
        await store.set({ key: "text", value: "changed" });
        await store.push({ key: "queue", value: "one more", end: "last" });
        await store.deleteMember({ bucket: "b0", item: "item 0" });
        await store.set({ key: "new", value: "1" });
      };
      await expect(setting().copy(from, to)).rejects.toMatchObject({
        name: "CopyDifferenceError",
        hint: expect.stringContaining(hint),
      });
      expect(await to.store.content.note()).toBe('{"from":"from"}');
    });

    test("what expires on the way is not missed", async () => {
      const from = await setting().end(ends.source, "from");
      const to = await setting().end(ends.target, "to");
      await fill(from.store, 20);
      const env = setting().env as VirtualEnv;
      const { find, raiseToken } = to.store.content;
      let raised = 0;
      to.store.content.raiseToken = (token) => {
        if (++raised === 2) env.stall(1_000);
        return raiseToken(token);
      };
      // Between the page of the source and the look at the target.
      to.store.content.find = (pieces) => {
        if (pieces[0]?.table === "arrays") env.stall(2_000_000);
        return find(pieces);
      };
      await setting().copy(from, to);
      expect(await contentOf(to.store)).toEqual(await contentOf(from.store));
    });
  });
}
