// What the scripts of the seeds trip over, by its number in the contract: files, which are the
// server's.

import { openKv } from "./k6.js";
import { holds, prove, rejects, same } from "./proof.js";

const kv = openKv({ backend: __ENV.BACKEND, trackKeys: __ENV.TRACK_KEYS === "true" });

const users = { "user:1": { name: "Alice", status: 200 }, "user:2": { name: "Bob", status: 404 } };

const files = {
  "1 and 36 backup and restore": async () => {
    await kv.setMany(users);
    const summary = await kv.backup({ fileName: "./run.kv" });
    same(Object.keys(summary).sort(), ["bestEffort", "bytesWritten", "totalEntries", "warning"]);
    same([summary.totalEntries, summary.bestEffort, summary.warning], [2, false, ""]);
    await kv.set("later", 1);
    same(await kv.restore({ fileName: "./run.kv" }), { totalEntries: 2 });
    same([await kv.size(), await kv.get("user:1")], [2, users["user:1"]]);
  },
  "36 without a name": async () => {
    await kv.set("k", 1);
    same((await kv.backup()).totalEntries, 1);
    await kv.clear();
    same([await kv.restore(), await kv.get("k")], [{ totalEntries: 1 }, 1]);
  },
  "6 names and empty files": async () => {
    const { fileName, bytesWritten, exported } = await kv.exportJSONL({ fileName: "./none.jsonl" });
    same([fileName, bytesWritten, exported], ["./none.jsonl", 0, 0]);
    const { valid, records, checkedAll } = await kv.validateJSONL({ fileName: "./none.jsonl" });
    same([valid, records, checkedAll], [true, 0, true]);
  },
  "28 missing files": async () => {
    const fileName = "missing";
    await rejects(kv.restore({ fileName }), "SnapshotNotFoundError");
    await rejects(kv.importJSONL({ fileName }), "SnapshotNotFoundError");
    await rejects(kv.validateJSONL({ fileName }), "SnapshotNotFoundError");
    await rejects(kv.importCSV({ fileName, keyColumn: "key" }), "SnapshotNotFoundError");
    await rejects(kv.validateCSV({ fileName }), "SnapshotNotFoundError");
  },
  "29 the other kind of file": async () => {
    await kv.setMany(users);
    await kv.exportJSONL({ fileName: "users.jsonl" });
    await kv.exportCSV({ fileName: "users.csv", columns: ["name", "status"] });
    const csv = await kv.validateCSV({ fileName: "users.jsonl" });
    const jsonl = await kv.validateJSONL({ fileName: "users.csv" });
    same([csv.valid, csv.firstError.name], [false, "ValueParseError"]);
    same([jsonl.valid, jsonl.firstError.line], [false, 1]);
  },
  "30 and 35 limits": async () => {
    await kv.setMany(users);
    await kv.exportJSONL({ fileName: "users.jsonl" });
    const { valid, checkedAll } = await kv.validateJSONL({ fileName: "users.jsonl", limit: 1 });
    same([valid, checkedAll], [true, false]);
    await kv.clear();
    const { imported } = await kv.importJSONL({
      fileName: "users.jsonl",
      limit: 1,
      batchSize: 1000,
    });
    same([imported, await kv.listKeys()], [1, ["user:1"]]);
  },
  "32 CSV there and back": async () => {
    await kv.setMany(users);
    const options = { fileName: "u.csv", delimiter: ";" };
    same(
      (await kv.exportCSV({ ...options, columns: ["name", "status"], includeKey: false })).exported,
      2,
    );
    await kv.clear();
    same((await kv.importCSV({ ...options, keyColumn: "status" })).imported, 2);
    same(await kv.list(), [
      { key: "200", value: { name: "Alice", status: "200" } },
      { key: "404", value: { name: "Bob", status: "404" } },
    ]);
  },
  "33 values that are no rows": async () => {
    await kv.set("scalar", 1);
    await rejects(kv.exportCSV({ fileName: "s.csv", columns: ["name"] }), "ValueParseError");
  },
  "budgets of a restore": async () => {
    await kv.setMany(users);
    await kv.backup({ fileName: "b.kv" });
    await rejects(kv.restore({ fileName: "b.kv", maxEntries: 1 }), "SnapshotBudgetExceededError");
    holds((await kv.size()) === 2, "the data have changed");
  },
};

export default async function () {
  const proofs = Object.entries(files).map(([title, proof]) => [
    title,
    async () => {
      await kv.clear();
      await proof();
    },
  ]);
  await prove(Object.fromEntries(proofs));
}
