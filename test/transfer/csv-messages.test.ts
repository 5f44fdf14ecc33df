// What is said of a CSV file: the names of its header, and how far a transfer has come.

import type { RowProgress } from "anykv";
import { expect, test } from "vitest";
import { SimulatedTransfer } from "./transfer-setting.js";

async function missing(header: string): Promise<string | undefined> {
  const { kv } = new SimulatedTransfer({ "in.csv": `${header}\n` });
  const checked = await kv.validateCSV({ fileName: "/data/in.csv", keyColumn: "login" });
  return checked.firstError?.message;
}

test("a key column that is not there is told with those that are", async () => {
  expect(await missing('Login, login,"a\nb"')).toBe(
    'the header has no column "login", it has "Login", " login", "a\\nb"',
  );
});

test("however many and long the names are, the message is short", async () => {
  const names = Array.from(
    { length: 1_000 },
    (_, index) => `\u{1f642}${"x".repeat(5_000)}${index}`,
  );
  const message = (await missing(names.join(","))) ?? "";
  expect(message).toMatch(
    /"login", it has ("\u{1f642}x{39}"\.\.\., ){19}"\u{1f642}x{39}"\.\.\. and 980 more$/u,
  );
  expect(message.length).toBeLessThan(1_100);
  expect(await missing("x".repeat(40))).toMatch(/it has "x{40}"$/);
});

test("progress tells of rows and of bytes of the file, up to its end", async () => {
  const transfer = new SimulatedTransfer({});
  const { kv } = transfer;
  const rows = Array.from({ length: 2_500 }, (_, n) => [`key ${n}`, { n }] as const);
  await kv.setMany(Object.fromEntries(rows));
  const seen: RowProgress[] = [];
  const onProgress = (progress: RowProgress) => void seen.push(progress);
  const fileName = "/data/out.csv";
  const { bytesWritten } = await kv.exportCSV({ fileName, columns: ["n"], onProgress });
  expect(bytesWritten).toBe(Buffer.byteLength(transfer.read("out.csv") ?? ""));
  expect(seen.at(-1)).toStrictEqual({ rows: 2_500, bytes: bytesWritten });
  seen.length = 0;
  await kv.importCSV({ fileName, keyColumn: "key", batchSize: 1_000, onProgress });
  expect(seen.map((progress) => progress.rows)).toStrictEqual([1_000, 2_000, 2_500]);
  expect(seen.at(-1)?.bytes).toBe(bytesWritten);
  seen.length = 0;
  await kv.validateCSV({ fileName, onProgress });
  expect(seen.at(-1)).toStrictEqual({ rows: 2_500, bytes: bytesWritten });
});
