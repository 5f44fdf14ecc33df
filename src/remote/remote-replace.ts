// Remote replace: a whole new content, put together on the server beside the present one.
//
// Nobody sees anything of it before all of it is there. Then each partition changes over in one
// step; over several partitions these are several steps, one right behind the other. If one of them
// fails, the error says how many partitions have changed over. What others
// write while it is loaded goes with the content that is replaced: the server refuses a second
// restore, and no other write.

import { randomUUID } from "node:crypto";
import { OutcomeUnknownError, SnapshotReadError } from "../base/errors.js";
import { never } from "../engine/engine.js";
import type { SnapshotRow } from "../engine/snapshot.js";
import type { Stored } from "../engine/stored.js";
import { parseSpan } from "../operations/list-rows.js";
import type { CountedSource } from "../store/store.js";
import { type Calls, settleAll } from "./calls.js";
import type { Argument, Reply } from "./connection.js";
import type { Operation } from "./operation-table.js";
import { isJson, numberIn } from "./replies.js";

/** Elements that one call puts into an array. */
const builtElementsMax = 1_000;

interface Span {
  readonly partition: number;
  readonly head: number;
  readonly tail: number;
}

class Load {
  readonly #calls: Calls;
  readonly #id = randomUUID();
  readonly #spans = new Map<string, Span>();
  // Elements whose array has not come yet. Sources of our own give arrays first.
  readonly #early = new Map<string, SnapshotRow[]>();

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async begin(): Promise<void> {
    await this.#everywhere("load_begin", []);
  }

  async add(rows: readonly SnapshotRow[]): Promise<void> {
    const batches = new Map<string, Argument[]>();
    for (const row of rows) this.#sort(batches, row);
    await settleAll(
      [...batches].map(([place, args]) => {
        const [operation, partition] = place.split(" ");
        return this.#calls.call(operation as Operation, Number(partition), [this.#id, ...args]);
      }),
    );
  }

  #sort(batches: Map<string, Argument[]>, row: SnapshotRow): void {
    const { table, key, value, deadline } = row;
    const until = deadline === never ? "" : deadline;
    const put = (operation: Operation, partition: number, ...args: Argument[]): void => {
      const place = `${operation} ${partition}`;
      const batch = batches.get(place);
      if (batch === undefined) batches.set(place, args);
      else batch.push(...args);
    };
    if (table === "values") {
      put("load_values", this.#calls.partitionOf(key), key, this.#value(value), until);
    } else if (table === "lists") {
      const partition = this.#calls.partitionOf(key);
      const { id, head, tail } = parseSpan(value);
      this.#spans.set(`${id}`, { partition, head, tail });
      put("load_arrays", partition, key, id, until);
      for (const early of this.#early.get(`${id}`) ?? []) this.#sort(batches, early);
      this.#early.delete(`${id}`);
    } else if (table === "items") this.#sortElement(put, row);
    else if (table === "members") {
      const [bucket, item] = memberOf(key);
      put("load_members", this.#calls.partitionOf(bucket), bucket, item, until);
    }
  }

  #sortElement(
    put: (operation: Operation, partition: number, ...args: Argument[]) => void,
    row: SnapshotRow,
  ): void {
    const [id = "", index = ""] = row.key.split(":");
    const span = this.#spans.get(id);
    if (span !== undefined) {
      put("load_elements", span.partition, id, index, this.#value(row.value));
      return;
    }
    const early = this.#early.get(id);
    if (early === undefined) this.#early.set(id, [row]);
    else early.push(row);
  }

  // What is not known to be JSON is checked when it is handed out for the last time.
  #value(value: Stored): Argument {
    return this.#calls.value(value, typeof value === "string" && isJson(value) ? "j" : "t");
  }

  async build(): Promise<void> {
    if (this.#early.size > 0) throw new SnapshotReadError("elements have come without their array");
    for (const [id, { partition, head, tail }] of this.#spans) {
      for (let first = head; first < tail; ) {
        const count = Math.min(builtElementsMax, tail - first);
        const positions = Array.from({ length: count }, (_, offset) => first + offset);
        const args = [this.#id, id, ...positions];
        first += numberIn(await this.#calls.call("load_build", partition, args));
      }
    }
  }

  /**
   * Nothing changes over before the load has been found whole in all partitions. What happens to one
   * right afterwards is told with the number of those that have changed over.
   */
  async commit(token: number): Promise<void> {
    // Without rows: only whether the load is there.
    await this.#everywhere("load_values", []);
    const { partitions } = this.#calls;
    const commits = Array.from({ length: partitions }, (_, partition) =>
      this.#commitOne(partition, token),
    );
    const outcomes = await Promise.allSettled(commits);
    const failed = outcomes.filter((outcome) => outcome.status === "rejected");
    const [first] = failed;
    if (first === undefined) return;
    if (failed.length === partitions) throw first.reason;
    throw halfRestored(partitions - failed.length, partitions, first.reason as Error);
  }

  /** Tokens of a partition are congruent to its number: each gets the first one that is no lower. */
  #commitOne(partition: number, token: number): Promise<Reply> {
    const { partitions } = this.#calls;
    const raised = Math.ceil((token - partition) / partitions) * partitions + partition;
    return this.#calls.call("load_commit", partition, [this.#id, Math.max(0, raised)]);
  }

  async abandon(): Promise<void> {
    await this.#everywhere("load_abandon", []).catch(() => {});
  }

  async #everywhere(operation: Operation, args: readonly Argument[]): Promise<void> {
    await this.#calls.everywhere(operation, [this.#id, ...args]);
  }
}

function halfRestored(changed: number, partitions: number, cause: Error): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `the restore has come to ${changed} of ${partitions} partitions, the others hold what they held before: ${cause.message}`,
    { hint: "restore again, which replaces everything", cause },
  );
}

/** "<length of bucket>:<bucket><item>" */
function memberOf(key: string): [bucket: string, item: string] {
  const colon = key.indexOf(":");
  const start = colon + 1;
  const end = start + Number(key.slice(0, colon));
  return [key.slice(start, end), key.slice(end)];
}

export async function replace(calls: Calls, source: CountedSource): Promise<void> {
  const load = new Load(calls);
  try {
    await load.begin();
    for (let rows = source.next(); rows !== undefined; rows = source.next()) {
      await load.add(rows);
      await source.pause();
    }
    await load.build();
    await load.commit(tokenIn(source.counters));
  } catch (error) {
    await load.abandon();
    throw error;
  }
}

function tokenIn(counters: readonly SnapshotRow[]): number {
  const row = counters.find(({ key }) => key === "token");
  return row === undefined ? 0 : Number(row.value);
}
