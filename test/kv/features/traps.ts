// What the scripts of the k6 extension trip over, by its number in the contract.

import type { Proof } from "./proof.js";

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
