// History arbitrary: random histories for fast-check, and how to make a failing one smaller.
//
// A history has exactly the asked number of operations, with inspections and reopenings among them.
// Shrinking first takes commands out, many at a time as long as that works, then drops options; what
// is left mostly fits on half a screen. Both are deterministic, so that a seed and a path name one
// history for good.

import type * as FastCheck from "fast-check";
import { type Command, Draw } from "./history-commands.js";
import { drawCommands } from "./history-draws.js";

/** The part of fast-check that is used here; hand in the module itself. */
export type FastCheckModule = Pick<
  typeof FastCheck,
  "Arbitrary" | "Value" | "stream" | "asyncProperty" | "check"
>;

export interface History {
  /** Of the store's random choices. */
  readonly seed: number;
  readonly trackKeys: boolean;
  readonly commands: readonly Command[];
}

/** `reopens`: the store is closed and opened again at random points. */
export function historyArbitrary(
  fc: FastCheckModule,
  steps: number,
  reopens: boolean,
): FastCheck.Arbitrary<History> {
  class HistoryArbitrary extends fc.Arbitrary<History> {
    override generate(random: FastCheck.Random): FastCheck.Value<History> {
      const draw = new Draw((bound) => random.nextInt(0, bound - 1));
      const commands = drawCommands(draw, steps, reopens);
      const history = { seed: draw.below(2 ** 31), trackKeys: draw.once(2), commands };
      return new fc.Value(history, undefined);
    }

    override canShrinkWithoutContext(_value: unknown): _value is History {
      return false;
    }

    override shrink(history: History): FastCheck.Stream<FastCheck.Value<History>> {
      return fc.stream(smaller(history)).map((value) => new fc.Value(value, undefined));
    }
  }
  return new HistoryArbitrary();
}

function* smaller(history: History): IterableIterator<History> {
  for (const commands of withoutSome(history.commands)) yield { ...history, commands };
  for (const commands of withFewerOptions(history.commands)) yield { ...history, commands };
  if (history.trackKeys) yield { ...history, trackKeys: false };
}

/** Leaves out runs of commands: half of them, then a quarter, down to each single one. */
function* withoutSome(commands: readonly Command[]): IterableIterator<Command[]> {
  for (let size = Math.ceil(commands.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < commands.length; start += size) {
      yield [...commands.slice(0, start), ...commands.slice(start + size)];
    }
  }
}

/** Options that every operation that takes them can do without. */
const dispensable = new Set([
  "claim",
  "cursor",
  "includeCurrentOnMismatch",
  "keepTtl",
  "owner",
  "timeout",
  "unique",
  "allOrNothing",
]);

function* withFewerOptions(commands: readonly Command[]): IterableIterator<Command[]> {
  for (const [index, command] of commands.entries()) {
    const options: unknown = command.args.at(-1);
    if (typeof options !== "object" || options === null) continue;
    for (const name of Object.keys(options).filter((option) => dispensable.has(option))) {
      const { [name]: _, ...fewer } = options as Record<string, unknown>;
      const args = [...command.args.slice(0, -1), fewer];
      yield commands.with(index, { ...command, args } as Command);
    }
  }
}
