// What tests of file transfer work with: stores of each kind, and files in memory that count calls.

import { type Kv, openKv } from "anykv";
import {
  type StoreFactory,
  seededRandom,
  type VirtualEnv,
  virtualEnv,
  withStore,
} from "anykv/testing";
import type { CallObserver } from "../../src/testing/simulated-calls.js";
import { SimulatedDisk } from "../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../src/testing/simulated-files.js";
import { memoryFactory } from "../engines/memory/memory-factory.js";
import { walFactory } from "../engines/wal/wal-factory.js";

export const factories: readonly StoreFactory[] = [memoryFactory, walFactory];

export function onStore(factory: StoreFactory, body: (kv: Kv) => Promise<void>): Promise<void> {
  return withStore(factory, { env: virtualEnv() }, body);
}

let stores = 0;

/** A memory store whose files are simulated: those given, in `/data`. */
export class SimulatedTransfer {
  readonly disk = new SimulatedDisk();
  readonly files: SimulatedFiles;
  readonly env: VirtualEnv;
  readonly kv: Kv;

  constructor(content: Readonly<Record<string, string | Uint8Array>>, observer: CallObserver = {}) {
    this.disk.makeDirectory("/data");
    for (const [name, bytes] of Object.entries(content)) {
      const file = this.disk.create(`/data/${name}`);
      this.disk.write(file, 0, Buffer.from(bytes));
      this.disk.sync(file, this.disk.changes);
    }
    this.disk.syncDirectory("/", this.disk.changes);
    this.disk.syncDirectory("/data", this.disk.changes);
    this.files = new SimulatedFiles({ disk: this.disk, random: seededRandom(1), observer });
    this.env = virtualEnv({ files: this.files });
    this.kv = openKv({ backend: "memory", name: `simulated-${++stores}`, env: this.env });
  }

  /** The content of a file, undefined when there is none. */
  read(name: string): string | undefined {
    const entry = this.disk.entry(`/data/${name}`);
    return typeof entry === "number" ? this.disk.shown(entry).toString() : undefined;
  }

  names(): string[] {
    return this.disk.list("/data");
  }
}
