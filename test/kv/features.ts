// Features: what the five systems before anykv can do, and the tests that prove that anykv does it,
// or the part of anykv that is still to bring it.
//
// Titles are those of the store suite; "file > title" names a test of that file.

/** Parts that are not there yet. */
export const parts = ["examples and guides", "k6 module", "valkey backend"] as const;

type Part = (typeof parts)[number];
export type Proof = readonly string[] | { readonly later: Part; readonly now?: readonly string[] };

// S0, S1 and S2 are the three generations of the k6 extension; new is what came after them.
export const k6Features: Readonly<Record<string, Proof>> = {
  "S0 persistent single-file store, survives runs": [
    "test/engines/lmdb/disk-options.test.ts > is one file at the path, with a lock beside it",
    "test/engines/lmdb/disk-options.test.ts > keeps everything for the next run",
  ],
  "S0 shared, safe under parallel use": [
    "all handles of a store see the same keys, claims and arrays",
    "32 increments at once give 32 successive numbers",
    "popRandom of many at once never hands out an entry twice",
  ],
  "S0 open in init only": { later: "k6 module" },
  "S0 up to 10,000 writes a second, read-optimised": [
    "test/engines/lmdb/disk-options.test.ts > 1,000 at once share a few transactions",
  ],
  "S0 any JSON-serializable value": [
    "get and find resolve with what set was given, for every kind of JSON value",
    "every kind of JSON value comes back from list, scan, getMany, claims and pops",
    "JSON conventions hold: properties keep their order, undefined ones are left out, toJSON is honoured",
  ],
  "S0 set, get (throws), delete, clear, size": [
    "set overwrites",
    "get of a missing key rejects with KeyNotFoundError that names the key",
    "delete resolves with true whether or not the key was there",
    "clear resolves with true and removes values, arrays, claims and filter items",
    "size counts the values",
  ],
  "S0 list with prefix and limit": [
    "list and listKeys take a limit, and 0 or less means all",
    "a prefix selects exactly the keys that begin with it",
  ],
  "S1 memory or disk backend": [
    "test/engines/lmdb/disk-suite.test.ts > storeSuite",
    "test/engines/memory/memory-suite.test.ts > storeSuite",
  ],
  "S1 json or string values": [
    "values keep their types: the text of a number stays text",
    "text is stored as it is and always read as text",
    "anything else is stored as readable text",
  ],
  "S1 key index": [
    "stats shows a consistent index when keys are tracked, and null otherwise",
    "random keys follow what is written and deleted",
  ],
  "S1 uniform random keys without an index": [
    "randomKey is uniform when 0 % of the pool are claimed",
    "randomKey is uniform when 99 % of the pool are claimed",
  ],
  'S1 randomKey({ prefix }), "" on no match': [
    'randomKey resolves with a key of the prefix, or with "" when there is none',
  ],
  "S1 exists, delete": [
    "exists tells apart what is there and what is not",
    "delete removes its key and no other",
  ],
  "S1 sorted list": ["keys come in the byte order of UTF-8 from every query"],
  "S1 rebuildKeyList": ["rebuildKeyList resolves with true and changes no result"],
  "S1 producer and consumer": [
    "random keys follow what is written and deleted",
    "claimRandom of many at once never hands out a key twice",
  ],
  "S2 atomic operations": [
    "32 increments at once give 32 successive numbers",
    "getOrSet of many at once writes one value that all of them get",
    "swap of many at once creates the key once and loses no value",
    "compareAndSwap of many at once has one winner",
    "deleteIfExists of twelve at once has one winner",
    "compareAndDelete of many at once has one winner",
    "setIfAbsent of many at once has one winner",
  ],
  "S2 detailed compare diagnostics": [
    "compareAndSwapDetailed that swaps resolves with exactly two fields",
    "compareAndSwapDetailed that does not swap tells whether the key existed",
    "compareAndSwapDetailed adds the current value when asked, a stored null too",
    "compareAndDeleteDetailed that deletes resolves with exactly two fields",
    "compareAndDeleteDetailed that does not delete has the shape of a mismatch",
  ],
  "S2 batch reads, writes, deletes; missing and null": [
    "getMany tells a missing key from a stored null, and both have a value property",
    "setMany writes all entries and resolves with exactly their number",
    "deleteMany counts a repeated key once as deleted and then as missing",
  ],
  "S2 all-or-nothing batch with an error per entry": [
    "setMany with one bad value writes nothing and tells which entry was bad",
    "setMany lists all bad values in key order",
    "setMany reports an empty key alone, before it looks at values",
  ],
  "S2 bounded prefix deletion": [
    "deleteByPrefix deletes the first keys of its prefix and tells whether any are left",
    "deleteByPrefix is done when its limit is just enough",
    "deleteByPrefix requires a prefix and a limit",
  ],
  "S2 cursor paging with and without values": [
    "paging visits every key once, in order",
    "an exactly full last page is done at once",
    "cursors of scan and scanKeys are interchangeable",
    "a cursor survives the deletion of its key",
    "a cursor that no page returned is refused",
  ],
  "S2 key-only listing, prefix counts": [
    "list and listKeys take a limit, and 0 or less means all",
    "count sees what was written and deleted since",
  ],
  "S2 batch random sampling, unique or not": [
    "randomKeys resolves with distinct keys, as many as there are",
    "randomKeys with repetition resolves with exactly count keys",
    "membership in randomKeys is uniform when 0 % of the pool are claimed",
  ],
  "S2 one-time allocation": [
    "popRandom removes an entry of the prefix and resolves with it",
    "popRandom is uniform when 90 % of the pool are claimed",
  ],
  "S2 leases with owner, ttl and fencing token": [
    "a claim has exactly its fields, and an owner only when one was given",
    "tokens begin at 1 and rise by one with every claim",
    "the old holder of a key that was claimed again is refused, and the new one is not disturbed",
    "claimKey: a claim is there until its deadline and not at it",
  ],
  "S2 claim default 30 s, at most 24 h, owner 256 bytes": [
    "leases last 30 seconds by default",
    "the length of a lease is an integer from 1 to 86,400,000",
    "owners have at most 256 bytes of UTF-8",
  ],
  "S2 custom disk path": [
    "test/engines/lmdb/disk-options.test.ts > is one file at the path, with a lock beside it",
  ],
  "S2 memory sharding": [
    "test/kv/open-kv.test.ts > any number of shards is accepted and changes nothing",
  ],
  "S2 tuning knobs of the disk, read-only mode": [
    "test/kv/open-kv.test.ts > options of the disk are checked before the disk is asked for",
    "test/engines/lmdb/disk-options.test.ts > initialMmapSize %s makes room",
    "test/engines/lmdb/disk-options.test.ts > noSync writes what others read",
    "test/engines/lmdb/disk-options.test.ts > what has no counterpart in LMDB is named once",
  ],
  "S2 stable bucket": [
    "test/engines/lmdb/disk-options.test.ts > keeps everything for the next run",
  ],
  "S2 lock-in of the configuration, counted close": [
    "test/kv/open-kv.test.ts > is locked by the first call: another one is told with what",
    "test/kv/open-kv.test.ts > is not locked by a call that fails",
    "test/kv/open-kv.test.ts > are let go with their last handle: options are free again, data in memory are gone",
    "closing twice counts once",
  ],
  "S2 typed errors": [
    "a closed handle rejects with StoreClosedError, and others go on",
    "bad arguments on a closed handle are reported as bad arguments",
    "test/kv/bad-input.test.ts > refuses every bad argument %i and changes nothing",
  ],
  "S2 snapshots": [
    "a backup carries values, arrays and filters with their expiry",
    "a backup holds what was there at its call, whatever is written meanwhile",
    "a best-effort backup holds no key that came later",
    "a restore holds to maxEntries and maxBytes, and changes nothing beyond",
    "test/transfer/backup-files.test.ts > is where a disk store without a path looks for its own",
    "test/transfer/backup-files.test.ts > is its backup without being written, and its restore ends claims",
  ],
  "S2 portable JSONL files": [
    "exportJSONL writes one line for each value, in key order",
    "what exportJSONL wrote, importJSONL reads",
    "importJSONL that meets a bad line keeps the batches before it",
    "test/transfer/jsonl-lines.test.ts > a line of 64 MiB is read, one byte more is refused",
    "test/transfer/fuzz.test.ts > damaged files",
  ],
  "S2 safe replacement of files": [
    "test/transfer/faults.test.ts > with %s at any call",
    "test/transfer/faults.test.ts > aborted at any call",
    "test/transfer/faults.test.ts > at any moment of an export leaves the old file or the new one",
  ],
  "S2 diagnostics": ["stats has exactly its fields, null where there is nothing to tell"],
  "S2 state gauges": [
    "test/kv/metrics.test.ts > reportStats shows the state, with operations off too",
  ],
  "S2 operation metrics": [
    "test/kv/metrics.test.ts > has the names and labels of the specification",
    "test/kv/metrics.test.ts > counts what is under way, unless its arguments were refused",
  ],
  "S2 caps instead of unbounded work": [
    "limits above their caps are refused, never cut",
    "randomKeys requires a count from 1 to 1,000,000",
    "claimRandomMany and popRandomMany require a count from 1 to 1,000,000",
  ],
  "S2 TypeScript declarations": ["test/types/schema.test-d.ts > readsHaveTheTypeOfTheirKey"],
  "S2 guidance, examples, error manual": {
    later: "examples and guides",
    now: [
      "test/docs/errors.test.ts > has exactly one row for each entry of the catalogue, in its order",
      "test/examples/examples-processes.test.ts > worker threads use every account once",
      "test/examples/examples-processes.test.ts > forked processes do every job, although one of them is killed",
      "test/examples/examples-processes.test.ts > the workers of a test runner never have the same account at the same time",
    ],
  },
  "new explicit and batch claims, renewal, batch lifecycle": [
    "claimKey resolves with null for a missing key and for one that is claimed",
    "claimKeys sorts its keys into claimed, busy and missing, each in input order",
    "claimRandomMany claims distinct free keys, as many as there are",
    "a renewed claim is ended by the object that was first granted",
    "batches of claims tell how many were attempted, done and failed",
  ],
  "new batch pop": ["popRandomMany removes distinct entries, as many as there are"],
  "new CSV in and out, checks before": [
    "exportCSV writes a header and the columns of each value",
    "importCSV sets rows as objects of strings",
    "importCSV that meets a bad row keeps the batches before it",
    "test/transfer/csv-dialect.test.ts > is the same wherever the file is cut into pieces",
    "test/transfer/bad-files.test.ts > without a key column only syntax and header count",
  ],
  "new pool health by prefix": ["allocationStats counts free and claimed keys of a prefix"],
};

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
    "test/kv/open-kv.test.ts > backends that this version does not have are refused with a hint",
    "test/kv/config/open-configured-stores.test.ts > a directory that is in use: by whom",
    "test/kv/config/open-configured-stores.test.ts > damaged files: file, byte, and the command",
    "test/engines/wal/wal-bad-directories.test.ts > has a file among its parents",
  ],
  "configuration, sessions, cache of computed values": [
    "getOrSet with a ttl creates a key that vanishes",
    "test/examples/examples.test.ts > what Simple KV is used for, over a restart",
  ],
};

// What the scripts of the k6 extension trip over, by its number in the contract.
export const traps: Readonly<Record<string, Proof>> = {
  "1 exact numbers of fields": [
    "setMany writes all entries and resolves with exactly their number",
    "getOrSet writes a missing key and leaves an existing one",
    "swap resolves with the previous value",
    "pages have exactly their three fields and entries their two",
    "claimKeys sorts its keys into claimed, busy and missing, each in input order",
  ],
  "2 current and existed are absent on success": [
    "compareAndSwapDetailed that swaps resolves with exactly two fields",
    "compareAndSwapDetailed that does not swap tells whether the key existed",
  ],
  "3 getMany items own a value": [
    "getMany tells a missing key from a stored null, and both have a value property",
  ],
  "4 results are arrays of the caller's own": [
    "results of queries are arrays of their own",
    "what a caller changes later never changes the store",
  ],
  '5 no match is "", null or []': [
    'randomKey resolves with a key of the prefix, or with "" when there is none',
    "claimRandom takes only free keys of the prefix and resolves with null when there is none",
    "popRandomMany removes distinct entries, as many as there are",
  ],
  "6 names of exported files": [
    "test/transfer/bad-files.test.ts > gives a relative name back as it was given",
    "exportJSONL of nothing writes an empty file",
  ],
  "7 read, spread, swap, again": [
    "a value that was read and spread is the expected one in the next round",
  ],
  "8 stored null in comparisons": [
    "compareAndDelete that expects null or undefined deletes a stored null",
    "compareAndSwap never matches a stored null",
  ],
  "9 cyclic new value": ["compareAndSwap refuses a cyclic value on either side"],
  "10 all kinds of values survive": [
    "every kind of JSON value comes back from list, scan, getMany, claims and pops",
  ],
  "11 setMany with a function": [
    "setMany with one bad value writes nothing and tells which entry was bad",
  ],
  "12 counters in both text modes": [
    "decimal text is a counter",
    "an overflow changes nothing, not even the type of the value",
    "the largest safe integer comes back exact",
    "a delta that is not an integer of 64 bits is refused",
  ],
  "13 32 parallel increments": ["32 increments at once give 32 successive numbers"],
  "14 the old claim after a new one": [
    "the old holder of a key that was claimed again is refused, and the new one is not disturbed",
  ],
  "15 expired or unknown claims answer false": [
    "an expired claim cannot be completed although nobody else took the key",
    "an unknown id, key or token answers false and disturbs nobody",
  ],
  "16 release after renewal": ["a renewed claim is ended by the object that was first granted"],
  "17 deleteMany of a claimed key": ["deleteMany counts claimed keys, and their claims are void"],
  "18 pops skip the caller's own claim": [
    "pops skip claimed keys, the caller's own too",
    "popRandom of many at once never hands out an entry twice",
  ],
  "19 default length of a lease": ["leases last 30 seconds by default"],
  "20 all or nothing": [
    "claimKeys that may have all or nothing stops at the first obstacle and claims nothing",
  ],
  "21 a claim twice in a batch": [
    "a claim that occurs twice fails the second time, at its own position",
    "batches of no claims do nothing",
  ],
  "22 arithmetic of allocationStats": [
    "allocationStats counts free and claimed keys of a prefix",
    'allocationStats of everything has the prefix ""',
  ],
  "23 deleteMany of repeated keys": [
    "deleteMany counts a repeated key once as deleted and then as missing",
  ],
  "24 deleteByPrefix in steps": [
    "deleteByPrefix deletes the first keys of its prefix and tells whether any are left",
  ],
  "25 cursor and done agree": [
    "paging visits every key once, in order",
    "an exactly full last page is done at once",
    "a cursor may be used by many calls at once",
  ],
  "26 limit 0 of listKeys": ["list and listKeys take a limit, and 0 or less means all"],
  "27 deletes and swaps in parallel": [
    "deleteIfExists of twelve at once has one winner",
    "swap of many at once creates the key once and loses no value",
  ],
  "28-35 files": [
    "test/transfer/bad-files.test.ts > of %s rejects with %s",
    "test/transfer/bad-files.test.ts > JSONL is no CSV, and CSV no JSONL",
    "test/transfer/jsonl-lines.test.ts > limits, checks that end early, and the end of the file",
    "rows may be shorter and longer than the header",
    "a round trip through CSV turns types into text",
    "exportCSV refuses what is no flat object and leaves the file alone",
    "test/kv/bad-input.test.ts > refuses every bad argument %i and changes nothing",
    "importJSONL with a limit reads no further",
  ],
  "36, 37 backup and restore": [
    "a backup has exactly its four fields",
    "two backups one after the other count the same",
    "writes during a restore are refused, or were before it, and reads go on",
    "test/transfer/backup-files.test.ts > is where a disk store without a path looks for its own",
    "test/transfer/backup-files.test.ts > is its backup without being written, and its restore ends claims",
  ],
  "38 closing twice, and calls afterwards": [
    "closing twice counts once",
    "a closed handle rejects with StoreClosedError, and others go on",
  ],
  "39 errors have a readable name": [
    "test/base/errors.test.ts > has its name on the prototype and its code of its own",
  ],
  "40 clear among writers": ["clear among writers leaves a store that agrees with itself"],
};
