// Crash counts: how often the crash simulation has been where, so that it cannot go blind: a kind of
// file call, a situation or an ending that no crash has met any more makes the test fail.

import type { Life, Point } from "./crash-life.js";

/** A call with the last two names of its path; of a numbered file only what comes after the dot. */
export function shortened(before: string): string {
  const [kind = "", path = ""] = before.split(" ");
  const [name, directory] = path.split("/").reverse();
  return directory === undefined ? before : `${kind} ${directory}/${name?.replace(/^\d.*\./, "")}`;
}

function situationOf(call: string, isOpen: boolean, isFirst: boolean): string {
  if (!isOpen) return isFirst ? "first creation" : "recovery";
  if (call === "the end") return "closed";
  if (call.startsWith("remove ")) return "clean-up";
  if (call.includes("last_state")) return "snapshot";
  // Frames are made durable by `dataSync`; only the header of a new segment is synced entirely.
  if (/^(open|sync|syncDirectory) /.test(call) && call.includes("wal")) return "rotation";
  return call.includes("LOCK") ? "closing" : "writing";
}

/** Where a life is at one of its points: the situation, and the call that comes next. */
export function placeOf({ points, opening }: Life, index: number, isFirst: boolean): string {
  const { before, ledger } = points[index] as Point;
  const call = shortened(before);
  const place = `${situationOf(call, index >= opening, isFirst)}: ${call}`;
  const [, replay] = /(\d+)\.state$/.exec(before) ?? [];
  const isOvertaken = call.startsWith("rename") && ledger.committed > Number(replay);
  return isOvertaken ? `${place}, with later transactions` : place;
}

/** Everything that a store does to its files, and when. */
export const places = [
  "first creation: makeDirectory lib/store",
  "first creation: syncDirectory var/lib",
  "first creation: open store/LOCK",
  "first creation: write store/LOCK",
  "first creation: truncate store/LOCK",
  "first creation: makeDirectory store/wal",
  "first creation: makeDirectory store/last_state",
  "first creation: syncDirectory lib/store",
  "first creation: open wal/log",
  "first creation: write wal/log",
  "first creation: sync wal/log",
  "first creation: syncDirectory store/wal",
  "recovery: write store/LOCK",
  "recovery: truncate store/LOCK",
  "recovery: remove wal/log",
  "recovery: truncate wal/log",
  "recovery: write wal/log",
  "recovery: sync wal/log",
  "recovery: syncDirectory store/wal",
  "recovery: syncDirectory store/last_state",
  "writing: write wal/log",
  "writing: dataSync wal/log",
  "rotation: open wal/log",
  "rotation: sync wal/log",
  "rotation: syncDirectory store/wal",
  "snapshot: open last_state/tmp",
  "snapshot: write last_state/tmp",
  "snapshot: sync last_state/tmp",
  "snapshot: rename last_state/state",
  "snapshot: rename last_state/state, with later transactions",
  "snapshot: syncDirectory store/last_state",
  "clean-up: remove last_state/state",
  "clean-up: remove last_state/tmp",
  "clean-up: remove wal/log",
  "closing: write store/LOCK",
  "closed: the end",
] as const;

export const endingKinds = [
  "nothing",
  "everything",
  "prefix",
  "torn",
  "pages",
  "names",
  "pages and names",
  "kill",
] as const;

/** By ending: how many images there were, and how many of them had to be opened. */
export class Counts {
  moments = 0;
  readonly #byPlace = new Map<string, number>();
  readonly #images = new Map<string, number>();
  readonly #reopenings = new Map<string, number>();
  readonly #byLife = new Map<string, number>();

  moment(place: string, life: number): void {
    this.moments++;
    add(this.#byPlace, place);
    add(this.#byLife, `life ${life}`);
  }

  image(ending: string): void {
    add(this.#images, ending);
  }

  reopening(ending: string): void {
    add(this.#reopenings, ending);
  }

  /** Places and endings that were not met. */
  missed(): string[] {
    const unseen = places.filter((place) => !this.#byPlace.has(place));
    return [...unseen, ...endingKinds.filter((kind) => !this.#images.has(kind))];
  }

  summary(histories: number, seconds: number): string {
    const images = sum(this.#images);
    const reopenings = sum(this.#reopenings);
    const lines = [
      `${this.moments} crash points in ${histories} histories, ${seconds.toFixed(1)} s: ` +
        `${images} images, ${reopenings} different ones opened`,
      ...endingKinds.map(
        (kind) =>
          `${kind}: ${this.#images.get(kind) ?? 0}, opened ${this.#reopenings.get(kind) ?? 0}`,
      ),
      [...this.#byLife].map(([life, count]) => `${life}: ${count}`).join(", "),
      ...[...this.#byPlace].sort().map(([place, count]) => `${place}: ${count}`),
    ];
    return lines.join("\n  ");
  }
}

function add(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function sum(counts: Map<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
