// The witnessed writer of a disk store, for kills and power cuts. See the witness of the wal tests,
// which holds the store to what the writer said.

/** Every line is said when the operations that it tells of have been acknowledged. */
export const diskWriterSource = `
import { writeSync } from "node:fs";
import { openKv } from "anykv";
const [path] = process.argv.slice(2);
writeSync(1, "opening\\n");
const kv = openKv({ backend: "disk", name: "witnessed", path });
if (!(await kv.exists("loaded"))) {
  const entries = { loaded: true };
  for (let i = 0; i < 20_000; i++) entries["item:" + i] = i;
  await kv.setMany(entries);
}
writeSync(1, "ready\\n");
for (;;) {
  const count = await kv.incrementBy("count", 1);
  const length = await kv.append("queue", count);
  const claim = await kv.claimRandom({ prefix: "item:", ttl: 60_000 });
  await kv.completeClaim(claim);
  writeSync(1, count + " " + length + " " + claim.key + " " + claim.token + "\\n");
}
`;
