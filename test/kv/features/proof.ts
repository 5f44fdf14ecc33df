// Features: what the five systems before anykv can do, and the tests that prove that anykv does it,
// or the part of anykv that is still to bring it.
//
// Titles are those of the store suite; "file > title" names a test of that file.

/** Parts that are not there yet. */
export const parts = ["examples and guides", "k6 module", "valkey backend"] as const;

type Part = (typeof parts)[number];
export type Proof = readonly string[] | { readonly later: Part; readonly now?: readonly string[] };
