// Users: who may do what.
//
// Passwords are kept and compared as digests, in the same time whoever asks and whatever is wrong.

import { createHash, timingSafeEqual } from "node:crypto";

export interface User {
  readonly name: string;
  /** May carry out nothing that writes or that concerns others. */
  readonly readOnly: boolean;
}

export interface UserSettings extends User {
  /** undefined: whoever connects is this user. Only for the user `default`. */
  readonly password: string | undefined;
}

interface KnownUser {
  readonly user: User;
  readonly digest: Buffer | undefined;
}

const defaultName = "default";
const nobody = digestOf(Math.random().toString());

function digestOf(password: string | Uint8Array): Buffer {
  return createHash("sha256").update(password).digest();
}

export class Users {
  readonly #users = new Map<string, KnownUser>();
  /** Who everybody is who has not said otherwise; undefined where one has to. */
  readonly anyone: User | undefined;

  constructor(settings: readonly UserSettings[]) {
    for (const { name, readOnly, password } of settings) {
      const digest = password === undefined ? undefined : digestOf(password);
      this.#users.set(name, { user: { name, readOnly }, digest });
    }
    const known = this.#users.get(defaultName);
    this.anyone = known?.digest === undefined ? known?.user : undefined;
  }

  get hasPasswordOfDefault(): boolean {
    return this.anyone === undefined;
  }

  find(name: string | Uint8Array, password: string | Uint8Array): User | undefined {
    const known = typeof name === "string" ? this.#users.get(name) : undefined;
    const isRight = timingSafeEqual(digestOf(password), known?.digest ?? nobody);
    if (known === undefined) return undefined;
    return isRight || known.digest === undefined ? known.user : undefined;
  }
}
