// Defaults of the stores on LMDB, apart so that options can be compared without loading the engine.

export const lmdbDefaults = {
  name: "disk",
  readOnly: false,
  noSync: false,
  // An index that is built, or a restore, keeps the file for seconds.
  timeoutMs: 30_000,
  mapBytes: 0,
  trackKeys: false,
  truncate: false,
} as const;
