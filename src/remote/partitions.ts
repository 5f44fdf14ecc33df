// Partitions: which part of a store a key belongs to, and how the keys of that part begin.
//
//   tag of a partition   <prefix>:{<store>:<partition>}
//
// The braces make the server put all keys of a partition into one slot of a cluster.
//
// The partition of a key is the CRC-16 of its UTF-8 form, as Cluster computes slots, modulo the
// number of partitions. As in Cluster, a key with a non-empty part between its first "{" and the
// next "}" is placed by that part alone: this is how keys are put together that one guarded write
// or one atomic batch concerns. Frozen: another rule would not find the keys of existing stores.

const polynomial = 0x1021;

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ polynomial : crc << 1;
  return crc;
});

/** CRC-16/XMODEM, the checksum behind the slots of a cluster. O(length). */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] as number);
  return crc;
}

/** The part of a key that decides where it lies. */
export function placedBy(key: string): string {
  const start = key.indexOf("{") + 1;
  const end = start > 0 ? key.indexOf("}", start) : -1;
  return end > start ? key.slice(start, end) : key;
}

const encoder = new TextEncoder();

/** Where a key lies: an integer in `[0, partitions)`. O(length). */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : crc16(encoder.encode(placedBy(key))) % partitions;
}

/** How all keys of a partition begin. `store` holds no braces. */
export function partitionTag(prefix: string, store: string, partition: number): string {
  return `${prefix}:{${store}:${partition}}`;
}

/** The name of a store as it stands in the names of its keys, where braces have a meaning. */
export function storeTag(name: string | undefined): string {
  return (name ?? "").replace(/[%{}]/g, (sign) => encodeURIComponent(sign));
}
