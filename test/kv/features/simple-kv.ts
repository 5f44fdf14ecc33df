// Features of the Simple KV plugin.

import type { Proof } from "./proof.js";

export const simpleKvFeatures: Readonly<Record<string, Proof>> = {
  configuration: [
    "test/kv/config/configured-stores.test.ts > names one store of byte values on the wal backend",
    "test/kv/config/configured-stores.test.ts > has the plugin's defaults",
    "test/kv/config/configured-stores.test.ts > registers nothing when it is not enabled",
  ],
  "directory of the store": [
    "test/kv/config/open-configured-stores.test.ts > keeps bytes over a restart, and filters with it",
    "test/engines/wal/wal-bad-directories.test.ts > does not exist: opening makes it, with its parents",
  ],
  "write-ahead log, synchronous or not": [
    "test/engines/wal/wal-crash.test.ts > leaves what it owes",
    "test/engines/wal/wal-kill.test.ts > kill -9",
  ],
  recovery: [
    "test/engines/wal/wal-crash.test.ts > leaves what it owes",
    "test/engines/wal/wal-golden.test.ts > no golden file has been touched",
    "test/engines/wal/wal-fuzz.test.ts > damaged directories",
  ],
  "rotation, clean-up, compaction": [
    "test/kv/log-channel.test.ts > segments end and begin",
    "test/engines/wal/wal-replace.test.ts > counts its states, and leaves only the last one and the log behind it",
    "test/engines/wal/log-pace.test.ts > frames and segments stay small when many large writes come at once",
  ],
  "compression of values": [
    "every operation that writes a value can compress it, and every one reads it",
    "bytes can be compressed, whatever they look like",
  ],
  "buckets, byte values, empty is not missing": [
    "test/kv/open-kv.test.ts > are apart from each other, with options of their own",
    "bytes come back as they went in",
    "an empty value is neither missing nor null",
  ],
  "registry of stores by name": [
    "test/kv/open-kv.test.ts > conflict under one name only, and the message says which",
    "test/kv/config/store-registry.test.ts > gives stores by name, the last one by default",
    "test/kv/config/store-registry.test.ts > a name is registered once",
  ],
  "filter: exists, add, delete, check-then-add": [
    "add, contains and delete tell what was there",
    "checkThenAdd tells whether the item was there, and adds it",
    "checkThenAdd of many at once lets one through",
    "buckets are apart from each other, whatever their names and items",
  ],
  "reads from memory": ["set overwrites"],
  monitoring: [
    "stats has exactly its fields, null where there is nothing to tell",
    "test/kv/metrics.test.ts > reportStats shows the state, with operations off too",
  ],
  "trouble at the opening is told with hints": [
    "test/kv/open-kv.test.ts > a server that cannot be reached rejects the operations that wait for it",
    "test/kv/config/open-configured-stores.test.ts > a directory that is in use: by whom",
    "test/kv/config/open-configured-stores.test.ts > damaged files: file, byte, and the command",
    "test/engines/wal/wal-bad-directories.test.ts > has a file among its parents",
  ],
  "configuration, sessions, cache of computed values": [
    "getOrSet with a ttl creates a key that vanishes",
    "test/examples/examples.test.ts > what Simple KV is used for, over a restart",
  ],
};
