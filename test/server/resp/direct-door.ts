// The commands of the door without a socket: words in, the reply as it would go out.

import { type VirtualEnv, virtualEnv } from "anykv/testing";
import type { RowProblem, RowReader } from "../../../src/engine/row-reader.js";
import { MemoryEngine } from "../../../src/engines/memory/memory-engine.js";
import type { Env } from "../../../src/env/env.js";
import { checkRows } from "../../../src/operations/check.js";
import { type Argument, argumentOf } from "../../../src/server/resp/argument.js";
import { type CommandContext, CommandError } from "../../../src/server/resp/command.js";
import { CommandTable } from "../../../src/server/resp/command-table.js";
import { resp2, resp3 } from "../../../src/server/resp/encoder.js";
import { errorReplyOf } from "../../../src/server/resp/error-replies.js";
import { requestOf } from "../../../src/server/resp/request.js";
import { ScanCursors } from "../../../src/server/resp/scan-cursors.js";
import { dataCommands } from "../../../src/server/resp/table/data-commands.js";
import { valueCodecOf } from "../../../src/server/resp/value-codecs.js";
import { LocalStore } from "../../../src/store/local-store.js";

export type Word = string | number | Uint8Array;
export type Serialization = "json" | "string" | "bytes";

const table = new CommandTable(dataCommands);

export function argumentsOf(words: readonly Word[]): Argument[] {
  return words.map((word) =>
    argumentOf(word instanceof Uint8Array ? word : Buffer.from(`${word}`)),
  );
}

export class DirectDoor {
  readonly engine: MemoryEngine;
  readonly store: LocalStore;
  readonly #context: CommandContext;
  /** Keys that commands have told to have got elements. */
  readonly pushed: string[] = [];
  /** Started anew: what the server kept in its memory is gone. */
  cursors = new ScanCursors();

  constructor({
    serialization = "json",
    protocol = 2,
    env = virtualEnv(),
    engine = new MemoryEngine(env, { trackKeys: false }),
    store = new LocalStore(engine, env),
  }: {
    serialization?: Serialization;
    protocol?: 2 | 3;
    env?: Env;
    engine?: MemoryEngine;
    /** On the engine. */
    store?: LocalStore;
  } = {}) {
    this.engine = engine;
    this.store = store;
    const encode = protocol === 2 ? resp2 : resp3;
    const values = valueCodecOf(serialization);
    const door = this;
    this.#context = {
      encode,
      values,
      get cursors() {
        return door.cursors;
      },
      pushed: (key) => this.pushed.push(key),
    };
  }

  /** The reply; commands that may wait do not. */
  run(...words: Word[]): string {
    const context = this.#context;
    const { direct } = this.store;
    try {
      const { body, args } = requestOf(table, argumentsOf(words));
      if (body.kind === "session") throw new Error("no command of data");
      if (body.kind === "take") {
        body.plan(args);
        const take = (): string =>
          direct.write(
            (transaction) => body.run(transaction, args, context) ?? body.none(context.encode),
            undefined,
          ) as string;
        return take();
      }
      if (body.kind === "read") {
        const access = body.ranked === true ? direct.query : direct.read;
        return access((view) => body.run(view, args, context), undefined) as string;
      }
      const access = body.ranked === true ? direct.allocate : direct.write;
      return access((transaction) => body.run(transaction, args, context), undefined) as string;
    } catch (error) {
      if (error instanceof CommandError) return context.encode.error(error.message);
      return context.encode.error(errorReplyOf(error));
    }
  }

  /** What breaks the invariants of the tables. */
  problems(): RowProblem[] {
    return this.engine.read((view) => {
      const rows: RowReader = {
        has: (table, key) => view[table].has(key),
        *each(table, prefix = "") {
          const { start, end } = view[table].prefixRange(prefix);
          for (const key of view[table].slice(start, end)) {
            const row = view[table].get(key);
            if (row !== undefined) yield { key, value: row.value, deadline: row.deadline };
          }
        },
      };
      const problems = [...checkRows(rows)];
      const { values, claims, free } = view;
      const expected = values.slice(0, values.size).filter((key) => !claims.has(key));
      const found = free.slice(0, free.size);
      if (JSON.stringify(found) !== JSON.stringify(expected)) {
        problems.push({ table: "values", key: "", what: `free has ${found}, not ${expected}` });
      }
      return problems;
    }, undefined) as RowProblem[];
  }
}

export type { VirtualEnv };
