// Features of the k6 extension. S0, S1 and S2 are its three generations; new is what came after them.

import type { Proof } from "./proof.js";

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
