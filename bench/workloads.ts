// Workloads of `npm run bench`, in the order in which they run. Each file states what it compares;
// the targets are the ones that anykv was built for.

import type { Workload } from "./harness/workload.js";
import { setManyExisting, setManyNew } from "./workloads/batches.js";
import { diskGet, diskReaders } from "./workloads/disk-get.js";
import { diskScale } from "./workloads/disk-scale.js";
import { diskWrites } from "./workloads/disk-write.js";
import { expiry } from "./workloads/expiry.js";
import { jsonlExport, jsonlImport } from "./workloads/jsonl-transfer.js";
import { k6Operations } from "./workloads/k6-operations.js";
import { memory } from "./workloads/memory.js";
import { observation } from "./workloads/observation.js";
import { occupancy } from "./workloads/occupancy.js";
import { pages } from "./workloads/pages.js";
import { queue } from "./workloads/queue.js";
import { respServer } from "./workloads/resp-server.js";
import { claimAtScale, countAtScale, randomKeyAtScale } from "./workloads/scale.js";
import { sharedKey } from "./workloads/shared-key.js";
import { valkey } from "./workloads/valkey.js";
import { get, setExisting, setNew } from "./workloads/values.js";
import { walDiskUse } from "./workloads/wal-disk-use.js";
import { walGet } from "./workloads/wal-get.js";
import { walRecovery } from "./workloads/wal-recovery.js";
import { walSetExisting, walSetNew } from "./workloads/wal-set.js";
import { walStall } from "./workloads/wal-stall.js";
import { walSyncAlone, walSyncTogether } from "./workloads/wal-sync.js";

export const workloads: readonly Workload[] = [
  get,
  setExisting,
  setNew,
  sharedKey,
  setManyExisting,
  setManyNew,
  queue,
  countAtScale,
  randomKeyAtScale,
  claimAtScale,
  occupancy,
  pages,
  observation,
  memory,
  expiry,
  walSetExisting,
  walSetNew,
  walSyncAlone,
  walSyncTogether,
  walGet,
  walRecovery,
  walDiskUse,
  walStall,
  diskGet,
  diskReaders,
  ...diskWrites,
  ...diskScale,
  jsonlImport,
  jsonlExport,
  ...valkey,
  ...respServer,
  ...k6Operations,
];
