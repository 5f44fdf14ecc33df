// Defaults of the stores on LMDB, apart so that options can be compared without loading the engine.

export const lmdbDefaults = {
  name: "disk",
  readOnly: false,
  noSync: false,
  timeoutMs: 1_000,
  mapBytes: 0,
  trackKeys: false,
  truncate: false,
} as const;
