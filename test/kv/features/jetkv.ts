// Features of JetKV.

import type { Proof } from "./proof.js";

export const jetKvFeatures: Readonly<Record<string, Proof>> = {
  "one interface for every backend": [
    "all handles of a store see the same keys, claims and arrays",
  ],
  put: ["set overwrites"],
  get: [
    "find of a missing key resolves with undefined",
    "get of a missing key rejects with KeyNotFoundError that names the key",
  ],
  "remove leaves arrays alone": [
    "delete removes its key and no other",
    "delete of an array rejects with WrongTypeError and changes nothing",
    "deleteIfExists of an array rejects with WrongTypeError and changes nothing",
  ],
  fetchRemove: [
    "fetchRemove resolves with the value and removes it, and with null when there is none",
    "fetchRemove of many at once hands the value to one",
  ],
  "append and prepend": [
    "append adds at the end, prepend at the front, and both resolve with the new length",
  ],
  "pop and popFirst": [
    "pop takes the last element and popFirst the first",
    "pop and popFirst resolve with null when there is no array",
    "elements popped by many at once reach one each",
  ],
  putExpire: [
    "set with a ttl creates a key that vanishes",
    "append with a ttl creates a key that vanishes",
  ],
  "expired values are missing and free their memory": [
    "get: a value is there until its deadline and not at it",
    "keys that nobody reads are removed when their time has come",
  ],
  "values and arrays are different types": [
    "get of an array rejects with WrongTypeError and changes nothing",
    "append of a value rejects with WrongTypeError and changes nothing",
    "deleteArray removes an array of any length and tells whether it was there",
    "queries over values do not see arrays",
  ],
  "an empty array vanishes": ["an array vanishes with its last element"],
  "memory backend": ["set overwrites", "pop takes the last element and popFirst the first"],
  "file backend: one file, lock, truncate, size of the map": [
    "test/engines/lmdb/disk-options.test.ts > is one file at the path, with a lock beside it",
    "test/engines/lmdb/disk-options.test.ts > truncate begins with an empty store",
    "test/engines/lmdb/disk-options.test.ts > initialMmapSize %s makes room",
    "test/engines/lmdb/disk-options.test.ts > does not grow when values are replaced",
    "a key may have 1,024 bytes of UTF-8 and no more",
  ],
  "all operations in constant time": { later: "examples and guides" },
  "Valkey backend": { later: "valkey backend" },
  "job queues, persistent data, cache": {
    later: "examples and guides",
    now: [
      "whoever waits longest is served first",
      "getOrSet with a ttl creates a key that vanishes",
      "test/examples/examples.test.ts > job queue",
      "test/examples/examples.test.ts > sessions",
      "test/examples/main-job-processes.test.ts > goes on where it was, and hands out nothing again that was completed",
    ],
  },
  "shared memory": [
    "test/engines/lmdb/shared-users.test.ts > see what the others write, in processes and threads",
    "test/engines/lmdb/shared-users.test.ts > after kill -9",
  ],
  benchmark: { later: "valkey backend" },
};
