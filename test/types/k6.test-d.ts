// The declarations of the k6 module are written by hand, so that they fit into one file: here they
// are held against the methods that they declare. Checked by the compiler, never run.

import type { Kv } from "anykv";
import type { Filter, KV } from "anykv/k6";
import type { AdminMethods } from "../../src/kv/admin.js";
import type { Filter as LibraryFilter } from "../../src/kv/filter.js";
import type { operationNames } from "../../src/kv/operation-names.js";
import { holds, type Same } from "./type-tests.js";

// Every operation is declared, and nothing else.
holds<Same<Exclude<keyof KV, "filter" | "close">, keyof typeof operationNames>>();
holds<Same<keyof Filter, Exclude<keyof LibraryFilter, "bucket" | "observer">>>();

// What is declared holds of the methods that k6 runs, and of those of the library with files.
declare const methods: AdminMethods<{ [key: string]: unknown }>;
declare const library: Kv;
export const declared: Omit<KV, Exclude<keyof KV, keyof typeof methods>> = methods;
export const complete: KV = library;
export const filter: Filter = library.filter("bucket");
