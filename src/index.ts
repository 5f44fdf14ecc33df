// anykv: the public entry.

export * from "./base/errors.js";
export type * from "./kv/backup-types.js";
export {
  type ConfiguredStore,
  type OpenConfiguredStoresOptions,
  openConfiguredStores,
  parseConfig,
} from "./kv/config/config.js";
export { StoreRegistry } from "./kv/config/store-registry.js";
export type * from "./kv/file-types.js";
export type { Filter, MemberOptions } from "./kv/filter.js";
export { Kv } from "./kv/kv.js";
export type { LogMessage } from "./kv/log-channel.js";
export type {
  DurationSnapshot,
  MetricsSnapshot,
  OperationSnapshot,
  StateSnapshot,
} from "./kv/metrics.js";
export type { OperationContext } from "./kv/observe.js";
export { openKv } from "./kv/open-kv.js";
export type { OperationName } from "./kv/operation-names.js";
export type { DiskOptions } from "./kv/options/disk-options.js";
export type { MetricsOptions, MetricsRegistry } from "./kv/options/metrics-options.js";
export type {
  Backend,
  MemoryOptions,
  OpenKvOptions,
  Serialization,
} from "./kv/options/options.js";
export type { SharedOptions } from "./kv/options/shared-options.js";
export type { ValkeyNode } from "./kv/options/valkey-address.js";
export type { ValkeyOptions } from "./kv/options/valkey-options.js";
export type { WalOptions } from "./kv/options/wal-options.js";
export type { AnySchema, KeyOf, ValueOf } from "./kv/schema.js";
export type * from "./kv/types.js";
