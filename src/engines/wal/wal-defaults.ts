// The settings of the wal backend that apply where nobody says otherwise.

export const walDefaults = {
  syncWrites: false,
  flushIntervalMs: 1_000,
  segmentBytesMax: 64 * 1024 * 1024,
  packedBytesMin: 64 * 1024,
  snapshotBytesMin: 64 * 1024 * 1024,
} as const;
