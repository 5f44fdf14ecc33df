// Simulated handle: one open file of a simulated disk, as `FileHandle` describes it.

import type { FileHandle, OpenMode } from "../env/files.js";
import { type Call, type Fault, type SimulatedCalls, systemError } from "./simulated-calls.js";
import type { SimulatedDisk } from "./simulated-disk.js";

export interface HandleSubject {
  readonly disk: SimulatedDisk;
  readonly calls: SimulatedCalls;
  readonly path: string;
  readonly file: number;
  readonly mode: OpenMode;
  /** Told once, when the handle is given back. */
  readonly onClose: (handle: FileHandle) => void;
}

export class SimulatedHandle implements FileHandle {
  readonly #subject: HandleSubject;
  #position = 0;
  #closed = false;

  constructor(subject: HandleSubject) {
    this.#subject = subject;
  }

  async read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<number> {
    return this.#run({ kind: "read" }, () => {
      const { disk, file } = this.#subject;
      const bytes = disk.shown(file).subarray(position, position + length);
      buffer.set(bytes, offset);
      return bytes.length;
    });
  }

  async write(bytes: Uint8Array, position?: number): Promise<void> {
    const { disk, file } = this.#subject;
    // The caller may use its buffer again once the call has settled, so this one keeps a copy.
    const own = Buffer.from(bytes);
    const put = (part: Uint8Array): void => {
      const at = this.#place(position);
      disk.write(file, at, part);
      if (position === undefined) this.#position = at + part.length;
    };
    const part = (fault: Fault | undefined): void => {
      if (fault === undefined || fault === "short") put(own.subarray(0, own.length >> 1));
    };
    const subject = { kind: "write", position: this.#place(position), bytes: own } as const;
    await this.#run(subject, () => put(own), part);
  }

  async dataSync(): Promise<void> {
    await this.#sync("dataSync");
  }

  async sync(): Promise<void> {
    await this.#sync("sync");
  }

  async truncate(length: number): Promise<void> {
    const { disk, file } = this.#subject;
    await this.#run({ kind: "truncate" }, () => disk.truncate(file, length));
  }

  async size(): Promise<number> {
    const { disk, file } = this.#subject;
    return this.#run({ kind: "size" }, () => disk.shown(file).length);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { calls, path, file, onClose } = this.#subject;
    onClose(this);
    await calls.run({ kind: "close", path, file }, () => {});
  }

  async #sync(kind: "sync" | "dataSync"): Promise<void> {
    const { disk, file } = this.#subject;
    const until = disk.changes;
    const fail = (fault: Fault | undefined): void => {
      if (fault !== undefined) disk.loseUnsynced(file);
    };
    await this.#run({ kind, until }, () => disk.sync(file, until), fail);
  }

  #place(position: number | undefined): number {
    const { disk, file, mode } = this.#subject;
    return mode === "append" ? disk.shown(file).length : (position ?? this.#position);
  }

  async #run<Result>(
    subject: Pick<Call, "kind" | "position" | "bytes" | "until">,
    effect: () => Result,
    part?: (fault: Fault | undefined) => void,
  ): Promise<Result> {
    const { calls, path, file, mode } = this.#subject;
    if (this.#closed) throw systemError("EBADF", subject.kind, path);
    if (mode === "read" && subject.kind === "write") throw systemError("EBADF", "write", path);
    if (mode === "read" && subject.kind === "truncate")
      throw systemError("EINVAL", "ftruncate", path);
    return calls.run({ ...subject, path, file }, effect, part);
  }
}
