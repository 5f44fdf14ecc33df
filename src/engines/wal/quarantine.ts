// Quarantine: where damaged and superseded files go. They are moved by renaming, never copied,
// changed or removed; who wants the room back removes the directory by hand.

import { basename, dirname } from "node:path";
import type { Env } from "../../env/env.js";

export class Quarantine {
  /** `<store>/quarantine/<time>`. */
  readonly path: string;
  readonly #env: Env;

  private constructor(env: Env, path: string) {
    this.#env = env;
    this.path = path;
  }

  /** Makes a directory of its own, durably; `store` is the directory of the store. */
  static async create(env: Env, store: string): Promise<Quarantine> {
    const { files } = env;
    const parent = `${store}/quarantine`;
    const time = new Date(env.clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
    let path = `${parent}/${time}`;
    for (let n = 2; (await files.stat(path)) !== undefined; n++) path = `${parent}/${time}-${n}`;
    await files.makeDirectory(path);
    await files.syncDirectory(store);
    await files.syncDirectory(parent);
    return new Quarantine(env, path);
  }

  async write(name: string, text: string): Promise<void> {
    const file = await this.#env.files.open(`${this.path}/${name}`, "create");
    try {
      await file.write(Buffer.from(text));
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#env.files.syncDirectory(this.path);
  }

  /** Moves files here, each into a directory named as its own; resolves with their former paths. */
  async take(paths: readonly string[]): Promise<string[]> {
    const { files } = this.#env;
    const present = await this.#present(paths);
    const sources = [...new Set(present.map((path) => dirname(path)))];
    const places = sources.map((source) => `${this.path}/${basename(source)}`);
    for (const place of places) await files.makeDirectory(place);
    await files.syncDirectory(this.path);
    for (const path of present) {
      await files.rename(path, `${this.path}/${basename(dirname(path))}/${basename(path)}`);
    }
    // The new names first: a crash in between may leave a file under both, never under none.
    for (const directory of [...places, ...sources]) await files.syncDirectory(directory);
    return present;
  }

  async #present(paths: readonly string[]): Promise<string[]> {
    const present: string[] = [];
    for (const path of paths) {
      if ((await this.#env.files.stat(path)) !== undefined) present.push(path);
    }
    return present;
  }
}
