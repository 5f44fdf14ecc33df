// Names of the options of `openKv`, at its top and in its groups.

import type { Fields } from "../arguments.js";
import { checkNames, namesOf, warnOfNames } from "../option-names.js";
import { diskNames } from "./disk-options.js";
import { metricsNames } from "./metrics-options.js";
import type { MemoryOptions, OpenKvOptions } from "./options.js";
import { sharedNames } from "./shared-options.js";
import { valkeyNames } from "./valkey-options.js";
import { walNames } from "./wal-options.js";

const openNames = namesOf<OpenKvOptions>({
  name: true,
  backend: true,
  path: true,
  serialization: true,
  trackKeys: true,
  memory: true,
  disk: true,
  shared: true,
  wal: true,
  valkey: true,
  metrics: true,
  env: true,
});

export const memoryNames: ReadonlySet<string> = namesOf<MemoryOptions>({ shardCount: true });

// The seeds' scripts may have other names in these.
const tolerantGroups = { memory: memoryNames, disk: diskNames, metrics: metricsNames } as const;
// Ours alone, so nobody's script has.
const strictGroups = { shared: sharedNames, wal: walNames, valkey: valkeyNames } as const;

type Group = keyof typeof tolerantGroups | keyof typeof strictGroups;

const paths: readonly string[] = [
  ...openNames,
  ...Object.entries({ ...tolerantGroups, ...strictGroups }).flatMap(([group, names]) =>
    [...names].map((name) => `${group}.${name}`),
  ),
];

/**
 * Refuses or warns of what is not known. A mistyped name is a mistake even in the group of another
 * backend than the one that is chosen this time.
 * @throws InvalidOptionsError
 */
export function checkOpenNames(fields: Fields, groups: Readonly<Record<Group, Fields>>): void {
  for (const [group, names] of Object.entries(strictGroups)) {
    checkNames(groups[group as Group], names, `${group}.`);
  }
  warnOfNames(fields, openNames, "openKv", { group: "", paths });
  for (const [group, names] of Object.entries(tolerantGroups)) {
    warnOfNames(groups[group as Group], names, "openKv", { group: `${group}.`, paths });
  }
}
