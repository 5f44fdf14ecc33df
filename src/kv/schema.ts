// Schema: which keys hold which values, for the type checker only.
//
// `openKv<Schema>()` fixes it for a store; pattern keys work as index signatures:
//   interface Shop { counter: number; [user: `user:${string}`]: { name: string } }
// Without a schema every value is `unknown` until a call names its type: `kv.get<User>("user:1")`.

/** The schema of a store opened without one. */
export interface AnySchema {
  [key: string]: unknown;
}

export type KeyOf<Schema> = keyof Schema & string;

/** The value under a key; for a key that no entry of the schema covers there is none. */
export type ValueOf<Schema, Key extends KeyOf<Schema> = KeyOf<Schema>> = Schema[Key];

/** Any key in a store without a schema, none in a store with one: admits per-call types. */
export type UntypedKey<Schema> = string extends keyof Schema
  ? unknown extends Schema[keyof Schema]
    ? string
    : never
  : never;
