import { expect, test } from "vitest";
import { repairWal } from "../../../src/engines/wal/repair.js";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { WalEngine, walDefaults } from "../../../src/engines/wal/wal-engine.js";
import { mendRows } from "../../../src/operations/mend.js";
import { dumpOf, Model, recordedHistory } from "./recorded-history.js";
import { diskWith, envOn, storePath, writtenFiles } from "./wal-files.js";

test("try", async () => {
  const records = await recordedHistory(1, 80);
  const model = new Model();
  for (const r of records) model.apply(r);
  const files = await writtenFiles(records, {
    seed: 1,
    syncWrites: false,
    snapshots: 4,
    keepsSuperseded: true,
  });
  for (const [p, b] of files) console.log(p, b.length);
  const disk = diskWith(files);
  console.log(JSON.stringify(await verifyWal(envOn(disk), storePath), null, 1));
  const engine = await WalEngine.open(envOn(disk.clone()), {
    ...walDefaults,
    path: storePath,
    trackKeys: false,
  });
  expect(await engine.read(dumpOf, undefined)).toBe(model.dump);
  await engine.close();
  const [p, b] = [...files].filter(([p]) => p.endsWith(".state")).at(-1)!;
  const m = new Map(files);
  const c = Buffer.from(b);
  c[60]! ^= 1;
  m.set(p, c);
  const [p2, b2] = [...files].filter(([p]) => p.endsWith(".log")).at(-2)!;
  const c2 = Buffer.from(b2);
  c2[100]! ^= 1;
  m.set(p2, c2);
  const d2 = diskWith(m);
  const t = performance.now();
  console.log(JSON.stringify(await repairWal(envOn(d2), storePath, { mend: mendRows }), null, 1));
  console.log(performance.now() - t);
  console.log([...d2.shownNames.keys()].join("\n"));
});
