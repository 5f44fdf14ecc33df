// A CommonJS file that uses the installed package: Node loads the ES module through require().

const assert = require("node:assert/strict");
const { KeyNotFoundError, openKv } = require("anykv");
const manifest = require("anykv/package.json");

async function main() {
  const kv = openKv({ backend: "memory", name: "commonjs" });
  await kv.set("user:1", { name: "Ada" });
  assert.deepEqual(await kv.get("user:1"), { name: "Ada" });
  await assert.rejects(kv.get("user:2"), (error) => error instanceof KeyNotFoundError);
  await kv.close();
  console.log(`CommonJS: anykv ${manifest.version} on Node ${process.version}`);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
