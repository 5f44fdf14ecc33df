// Every bound of the public interface in one place; the unit stands last in each name.
// A value above its bound is refused with a typed error, never cut to fit.

/** A key, in UTF-8. The same on every backend. */
export const keyBytesMax = 1024;
/** The name of a filter's bucket, in UTF-8. */
export const bucketBytesMax = 256;
/** What an engine is asked to store as a key at most: a bucket, an item and their separators. */
export const tableKeyBytesMax = 1_400;
/** A stored value, in UTF-8 if it is text: 512 MiB, the bound of Valkey and Redis. */
export const valueBytesMax = 536_870_912;

/** Entries or keys of one page of `scan` and `scanKeys`. */
export const scanPageKeysMax = 100_000;
/** Entries or keys of one `list` and `listKeys`. */
export const listKeysMax = 250_000;
/** Keys that one `deleteByPrefix` removes. */
export const prefixDeleteKeysMax = 100_000;
/** Keys that one `randomKeys`, `claimRandomMany` or `popRandomMany` chooses. */
export const randomKeysMax = 1_000_000;

/**
 * Size at which a segment of a log gets a successor. What is smaller was meant in another unit.
 * Above, a segment might not be read back, which happens as a whole: it may exceed its size by a
 * record of up to 1 GiB, and Node reads files of less than 2 GiB.
 */
export const segmentBytesMin = 4_096;
export const segmentBytesMax = 536_870_912;
/** Growth of the log after which the state is written anew. */
export const snapshotEveryBytesMin = 4_096;
/** How long a written record may be missing on the disk: a day. */
export const flushIntervalMsMax = 86_400_000;

/** Room of an LMDB file in the address space, of which there are 128 TiB: 16 TiB. */
export const mapBytesMax = 17_592_186_044_416;

/** A configuration, in UTF-8: parsing may take a thousand times as much memory. */
export const configBytesMax = 262_144;
/** How deep maps and lists of a configuration may lie in each other. */
export const configLevelsMax = 64;
/** Items of a list that a configuration reads. */
export const configItemsMax = 1_000;

/** Rows that one export, import or validation of a file handles. */
export const fileRowsMax = 1_000_000;
/** Rows that an import writes in one transaction. */
export const fileBatchRowsMax = 10_000;
export const fileBatchRowsDefault = 1_000;
/** A line of a JSONL file with its newline: 64 MiB. */
export const jsonlLineBytesMax = 67_108_864;

/** How long one grant or renewal of a claim lasts: a day. */
export const claimTtlMsMax = 86_400_000;
export const claimTtlMsDefault = 30_000;
/** The name of a claim's owner, in UTF-8. */
export const claimOwnerBytesMax = 256;

/** How far ahead an expiry may lie: 100 years of 365.25 days. */
export const ttlMsMax = 3_155_760_000_000;
/** A duration among the options: what 64 bits of nanoseconds hold, about 292 years. */
export const durationMsMax = 9_223_372_036_854;

/** Slots that a store on a server is spread over. */
export const partitionsMax = 1_024;
/** How the keys of all stores on a server begin, in UTF-8. */
export const storePrefixBytesMax = 64;
