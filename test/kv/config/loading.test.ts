// What a program loads: the parser of YAML only where a configuration is read.

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { compilePackage } from "../../processes/compiled-package.js";

test("the parser of YAML is loaded by the first configuration", async () => {
  const compiled = await compilePackage();
  try {
    const script = compiled.script(
      "script.mjs",
      `import { createRequire } from "node:module";
       import { openKv, parseConfig } from "anykv";
       const { cache } = createRequire(import.meta.url);
       const report = (moment) => {
         const loaded = Object.keys(cache).some((path) => path.includes("/yaml/"));
         console.log(moment, loaded);
       };
       await openKv({ backend: "memory", name: "a" }).close();
       report("opened");
       await parseConfig("");
       report("configured");`,
    );
    const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "opened false\nconfigured true\n", stderr: "" });
  } finally {
    compiled.remove();
  }
});
