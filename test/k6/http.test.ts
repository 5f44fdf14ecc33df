// A k6 without any extension: the same store by HTTP.

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, freePort, type Server, startServer } from "../remote/servers.js";
import { type HttpGateway, startHttpGateway } from "./http-gateway.js";
import { K6Directory, type K6Run, lackOfK6 } from "./k6.js";

const token = "a token";

describeWith("the k6 module by HTTP", lackOfK6(), () => {
  let server: Server;
  let directory: K6Directory;
  let gateway: HttpGateway;

  beforeAll(async () => {
    [server, directory] = await Promise.all([
      startServer({ kind: "valkey" }),
      K6Directory.create(),
    ]);
    gateway = await startHttpGateway(server.url, token);
    copyFileSync(
      fileURLToPath(new URL("./scripts/proof.js", import.meta.url)),
      join(directory.path, "proof.js"),
    );
  });
  afterAll(async () => {
    await gateway.stop();
    await server.stop();
    await directory.remove();
  });

  const env = (): Record<string, string> => ({ ANYKV_URL: gateway.url, ANYKV_TOKEN: token });

  function runBody(body: string, environment: Record<string, string>): Promise<K6Run> {
    const text = `import { openKv } from "./k6.js";
      const kv = openKv();
      export const options = { thresholds: {
        http_req_failed: ["rate==0"],
        "http_reqs{anykv:true}": ["count>=0"],
        "http_reqs{expected_response:true}": ["count==0"],
      } };
      const told = (error) => console.log(error.name + ": " + error.message);
      export default async function () { ${body} }`;
    return directory.runText(text, { kind: "k6-stock", env: environment });
  }

  for (const name of ["traps", "files"]) {
    test(`springs none of the traps: ${name}`, async () => {
      const environment = { ...env(), BACKEND: "memory", TRACK_KEYS: "true", FILES: "true" };
      const options = { kind: "k6-stock", env: environment } as const;
      const run = await directory.runFile(`test/k6/scripts/${name}.js`, options);
      expect(run.errors).toBe("");
      expect(run.lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
      expect(run.lines).not.toEqual([]);
    });
  }

  test("its requests are neither failed nor expected ones, and have a tag", async () => {
    const before = gateway.called.length;
    const body =
      'await kv.set("a", "ö😀"); console.log(await kv.get("a")); await kv.incrementBy("a", 1).catch(told);';
    const run = await runBody(body, env());
    expect(run.errors).toBe("");
    expect(run.lines[0]).toBe("ö😀");
    expect(run.lines[1]).toMatch(/^ValueParseError: /);
    expect(gateway.called.slice(before)).toEqual(["inspect", "set", "get", "increment"]);
    expect(run.metrics["http_reqs{anykv:true}"]?.count).toBe(4);
    expect(run.metrics.http_req_failed).toMatchObject({ passes: 0, fails: 0 });
  });

  test("a wrong token, and a server that is not there", async () => {
    const wrong = await runBody("await kv.get('a').catch(told);", {
      ...env(),
      ANYKV_TOKEN: "another",
    });
    expect(wrong.lines).toEqual([expect.stringMatching(/^ServerAccessError: .*refuses the token/)]);
    const nowhere = { ...env(), ANYKV_URL: `http://127.0.0.1:${await freePort()}` };
    const none = await runBody("await kv.set('a', 1).catch(told);", nowhere);
    expect(none.lines).toEqual([expect.stringMatching(/^ServerConnectionError: /)]);
  });

  test("without the extension a URL of Redis ends the test with what k6 says of it", async () => {
    const run = await runBody("", { ANYKV_URL: "redis://127.0.0.1:1" });
    expect(run.exitCode).not.toBe(0);
    expect(run.errors).toContain("k6/x/redis");
  });
});
