// What the k6 module does of its own: the init context, lock-in, the life of handles, metrics and
// their tags, options, and what becomes of calls when the server does not answer.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, freePort, type Server, startServer } from "../remote/servers.js";
import { K6Directory, lackOfK6 } from "./k6.js";

/** A script whose `default` function is the body; `top` stands in the init context. */
function script(top: string, body: string): string {
  return `import { openKv } from "./k6.js";
    const told = (error) => console.log(error.name + ": " + error.message);
    ${top}
    export default async function () { ${body} }`;
}

/** Opens with the options, and tells what has been thrown. */
const opening = (options: string): string =>
  `try { openKv(${options}); } catch (error) { told(error); }`;

interface Sample {
  readonly metric: string;
  readonly data: { readonly value: number; readonly tags: Readonly<Record<string, string>> };
}

describeWith("the k6 module", lackOfK6(), () => {
  let server: Server;
  let directory: K6Directory;
  const env = (): Record<string, string> => ({ ANYKV_URL: server.url });

  beforeAll(async () => {
    [server, directory] = await Promise.all([
      startServer({ kind: "valkey" }),
      K6Directory.create(),
    ]);
  });
  afterAll(async () => {
    await server.stop();
    await directory.remove();
  });

  /** What each virtual user says once; the init context runs several times. */
  async function linesOf(text: string, environment = env()): Promise<string[]> {
    const run = await directory.runText(text, { env: environment });
    expect(run.errors).toBe("");
    return [...new Set(run.lines)];
  }

  test("opens in the init context only", async () => {
    const body = opening("");
    expect(await linesOf(script("openKv();", body))).toEqual([
      "InvalidOptionsError: openKv must be called in init context",
    ]);
  });

  test("takes no operations in the init context", async () => {
    const top = "const kv = openKv({ metrics: { operations: true } }); kv.get('a').catch(told);";
    expect(await linesOf(script(top, ""))).toEqual([
      "InvalidOptionsError: operations are not possible in the init context",
    ]);
  });

  test("refuses bad options by name", async () => {
    const bad = [
      ['{ backend: "Memory" }', "InvalidBackendError"],
      ['{ serialization: "xml" }', "InvalidSerializationError"],
      ['{ serialization: "bytes" }', "InvalidSerializationError"],
      ['"disk"', "InvalidOptionsError"],
      ["{ metrics: true }", "InvalidOptionsError"],
      ['{ metrics: { operations: "yes" } }', "InvalidOptionsError"],
      ['{ disk: { timeout: "1" } }', "InvalidOptionsError"],
      ['{ url: "ftp://host" }', "InvalidOptionsError"],
      ['{ url: "redis://h?max_retries=3" }', "InvalidOptionsError"],
      ['{ url: "redis://user:secret@h:x" }', "InvalidOptionsError"],
      ['{ url: "redis://h", transport: "http" }', "InvalidOptionsError"],
      ["{ partitions: 0 }", "InvalidOptionsError"],
    ] as const;
    const top = bad
      .map(([options], index) => `console.log("#${index}"); ${opening(options)}`)
      .join("\n");
    const lines = await linesOf(script(top, ""));
    const told = lines
      .join("\n")
      .split(/#\d+\n/)
      .slice(1);
    expect(told.map((line) => line.split(":")[0])).toEqual(bad.map(([, name]) => name));
    expect(lines.join("\n")).not.toContain("secret");
  });

  test("without a server says where one is named", async () => {
    const lines = await linesOf(script(opening("{}"), ""), { ANYKV_URL: "" });
    expect(lines).toEqual([expect.stringMatching(/^InvalidOptionsError: no server/)]);
  });

  test("locks the options of a store in, equivalent ones excepted", async () => {
    const top = `
      openKv({ backend: "disk", path: " ./dir/../a.kv ", disk: { timeout: "1s" } });
      openKv({ path: "a.kv", disk: { timeout: 1000 }, trackKeys: false });
      ${opening('{ path: "b.kv", disk: { timeout: 1000 } }')}
      ${opening('{ path: "a.kv" }')}
      openKv({ name: "other", backend: "memory", serialization: "string" });`;
    const lines = await linesOf(script(top, ""));
    expect(lines.map((line) => line.replace(/.*; /, ""))).toEqual([
      "the options differ in path",
      "the options differ in disk",
    ]);
    expect(lines[0]).toContain("KVOptionsConflictError: the store was opened with backend=disk");
  });

  test("handles close one by one; bad arguments are told of first", async () => {
    const top = "const [kv, other] = [openKv(), openKv()];";
    const body = `
      kv.close(); kv.close();
      await kv.get("a").catch(told);
      await kv.get("").catch(told);
      await kv.validateCSV({ fileName: "f" }).catch(told);
      console.log(await other.set("a", 1));`;
    expect(await linesOf(script(top, body))).toEqual([
      "StoreClosedError: kv store handle is closed",
      'InvalidOptionsError: key must be a non-empty string, got ""',
      "1",
    ]);
  });

  test("stores of different names are different, and so are the names of Node", async () => {
    const top = 'const [a, b] = [openKv({ name: "a{1}" }), openKv({ name: "b" })];';
    const body = 'await a.set("k", 1); console.log(await b.exists("k"), await a.exists("k"));';
    expect(await linesOf(script(top, body))).toEqual(["false true"]);
    expect(await server.cli("--raw", "hget", "anykv:{a%7B1%7D:0}:v", "k")).toBe("j1");
  });

  test("a read-only store refuses to write", async () => {
    const top = "const kv = openKv({ disk: { readOnly: true } });";
    const body = `
      await kv.set("a", 1).catch(told);
      await kv.popRandom().catch(told);
      console.log(await kv.size(), (await kv.setMany({})).written);`;
    const lines = await linesOf(script(top, body));
    expect(lines[0]).toBe("StoreReadOnlyError: disk store was opened in read-only mode");
    expect(lines).toHaveLength(2);
  });

  test("a store of several partitions is one store", async () => {
    const top = 'const kv = openKv({ name: "spread", partitions: 5 });';
    const body = `
      const keys = Array.from({ length: 40 }, (_, n) => "k" + (n + 10));
      await kv.setMany(Object.fromEntries(keys.map((key) => [key, 1])));
      console.log((await kv.listKeys()).join() === keys.join(), await kv.size());
      console.log((await kv.popRandomMany({ count: 50 })).length);`;
    expect(await linesOf(script(top, body))).toEqual(["true 40", "40"]);
  });

  test("metrics have the seeds' names, types and tags", async () => {
    const { samples, types } = await samplesOf(
      script(
        'const kv = openKv({ backend: "memory", trackKeys: true, metrics: { operations: true } });',
        `await kv.clear(); await kv.set("a", 1); await kv.get("missing").catch(() => {});
         await kv.get("").catch(() => {}); await kv.claimRandom({ prefix: "x" }); await kv.reportStats();`,
      ),
    );
    const common = { backend: "memory", track_keys: "true", serialization: "json" };
    const of = (metric: string, op?: string) =>
      samples
        .filter(
          (sample) => sample.metric === metric && (op === undefined || sample.data.tags.op === op),
        )
        .map(({ data: { value, tags } }) => [value, ownTags(tags)]);
    expect(of("xk6_kv_operations_total", "set")).toEqual([
      [1, { ...common, op: "set", status: "ok" }],
    ]);
    const failed = { ...common, op: "get", status: "error" };
    expect(of("xk6_kv_operations_total", "get")).toEqual([
      [1, failed],
      [1, failed],
    ]);
    expect(of("xk6_kv_operation_failed", "get")).toEqual([
      [1, { ...common, op: "get" }],
      [1, { ...common, op: "get" }],
    ]);
    expect(of("xk6_kv_errors_total")).toEqual([
      [1, { ...common, op: "get", error_type: "KeyNotFoundError" }],
      [1, { ...common, op: "get", error_type: "InvalidOptionsError" }],
    ]);
    expect(of("xk6_kv_operation_duration", "get").map(([value]) => value === 0)).toEqual([
      false,
      true,
    ]);
    expect(of("xk6_kv_empty_result")).toEqual([[1, { ...common, op: "claim_random" }]]);
    expect(of("xk6_kv_async_in_flight").map(([value]) => value)).toEqual([
      1, 0, 1, 0, 1, 0, 1, 0, 1, 0,
    ]);
    expect(of("xk6_kv_keys")).toEqual([[1, common]]);
    expect(of("xk6_kv_index_keys").map(([, tags]) => (tags as { index: string }).index)).toEqual([
      "keys_list",
      "keys_map",
      "ost",
    ]);
    expect(of("xk6_kv_index_consistent")).toEqual([[1, common]]);
    expect(types).toMatchObject({
      xk6_kv_operations_total: "counter default",
      xk6_kv_operation_duration: "trend time",
      xk6_kv_operation_failed: "rate default",
      xk6_kv_errors_total: "counter default",
      xk6_kv_empty_result: "rate default",
      xk6_kv_async_in_flight: "gauge default",
      xk6_kv_keys: "gauge default",
      xk6_kv_index_keys: "gauge default",
    });
  });

  /** What an output is told of a run. */
  async function samplesOf(
    text: string,
  ): Promise<{ samples: Sample[]; types: Record<string, string> }> {
    const folder = mkdtempSync(join(tmpdir(), "anykv-k6-samples-"));
    const file = join(folder, "samples.json");
    const run = await directory.runText(text, { env: env(), args: ["--out", `json=${file}`] });
    expect(run.errors).toBe("");
    const lines = readFileSync(file, "utf8").trim().split("\n");
    rmSync(folder, { recursive: true });
    const told = lines.map((line) => JSON.parse(line));
    const types = told
      .filter(({ type }) => type === "Metric")
      .map(({ metric, data }) => [metric, `${data.type} ${data.contains}`]);
    return {
      samples: told.filter(({ type }) => type === "Point"),
      types: Object.fromEntries(types),
    };
  }

  test("a server without the library is given it, also in the middle of a run", async () => {
    const top = `import redis from "k6/x/redis";
      const plain = new redis.Client("redis://127.0.0.1:${server.port}");
      const kv = openKv();`;
    const body = `
      await kv.set("a", 1);
      await plain.sendCommand("FUNCTION", "FLUSH", "SYNC");
      console.log(await kv.incrementBy("a", 1));`;
    expect(await linesOf(script(top, body))).toEqual(["2"]);
  });

  test("a server that has lost its data has the store again, also in the middle of a run", async () => {
    const top = `import redis from "k6/x/redis";
      const plain = new redis.Client("redis://127.0.0.1:${server.port}");
      const kv = openKv({ name: "lost" });`;
    const body = `
      await kv.set("a", 1);
      await plain.sendCommand("FLUSHALL");
      console.log(await kv.exists("a"), await kv.incrementBy("a", 5), await kv.claimKey("a") !== null);`;
    expect(await linesOf(script(top, body))).toEqual(["false 5 true"]);
    expect(await server.cli("hget", "anykv:{lost:0}:n", "partitions")).toContain("1");
  });

  test("a store of another number of partitions is refused, and nothing is written", async () => {
    const opened = (partitions: number): string =>
      `const kv = openKv({ name: "parted", partitions: ${partitions} });`;
    expect(await linesOf(script(opened(2), 'console.log(await kv.set("a", 1));'))).toEqual(["1"]);
    const lines = await linesOf(script(opened(3), 'await kv.set("a", 1).catch(told);'));
    expect(lines).toEqual(["InvalidOptionsError: the store has 2 partitions"]);
    expect(await server.cli("exists", "anykv:{parted:2}:n")).toContain("0");
  });

  test("a script that breaks off leaves nothing behind that others wait for", async () => {
    const top = `const kv = openKv({ name: "broken" });
      export const options = { vus: 1, iterations: 3 };`;
    const body = `
      if (__ITER < 2) { kv.set("a", 1); kv.get("a"); kv.popFirstWait("q"); throw new Error("broken off"); }
      await kv.append("q", "kept");
      console.log(await kv.set("b", 2), await kv.popFirst("q"));`;
    const run = await directory.runText(script(top, body), { env: env() });
    expect(run.lines).toEqual(["2 kept"]);
    expect(run.errors.match(/broken off/g)).toHaveLength(2);
  });

  test("nobody listens: the error says so, and nothing has happened", async () => {
    const url = `redis://user:secret@127.0.0.1:${await freePort()}`;
    const lines = await linesOf(
      script("const kv = openKv();", 'await kv.set("a", 1).catch(told);'),
      { ANYKV_URL: url },
    );
    expect(lines).toEqual([
      expect.stringMatching(
        /^ServerConnectionError: valkey at 127\.0\.0\.1:\d+: cannot be reached/,
      ),
    ]);
  });

  test("a call that gets no answer is not sent again, and may have been carried out", async () => {
    const deaf = await startDeafServer(server.port);
    const top = `const kv = openKv({ url: "redis://127.0.0.1:${deaf.port}", commandTimeout: 300 });`;
    const lines = await linesOf(
      script(
        top,
        'await kv.get("a").catch(() => {}); await kv.incrementBy("slow", 1).catch(told); await kv.get("b").catch(told);',
      ),
    );
    await deaf.stop();
    expect(lines[0]).toMatch(/^OutcomeUnknownError: .*increment was sent and not answered/);
    expect(lines[1]).toMatch(/^ServerConnectionError: .*no answer/);
    expect(deaf.calls("_increment\r\n")).toBe(1);
  });
});

function ownTags(tags: Readonly<Record<string, string>>): object {
  const own = ["op", "backend", "status", "track_keys", "serialization", "error_type", "index"];
  return Object.fromEntries(Object.entries(tags).filter(([name]) => own.includes(name)));
}

/** Passes on what is asked of it, and once it has seen a call of `increment` no answer any more. */
async function startDeafServer(
  target: number,
): Promise<{ port: number; calls(name: string): number; stop(): Promise<void> }> {
  const { connect } = await import("node:net");
  let seen = "";
  const listener: TcpServer = createServer((socket) => {
    const behind = connect(target, "127.0.0.1");
    const isDeaf = (): boolean => seen.includes("_increment\r\n");
    socket.on("data", (bytes) => {
      seen += bytes.toString("latin1");
      behind.write(bytes);
    });
    behind.on("data", (bytes) => {
      if (!isDeaf()) socket.write(bytes);
    });
    for (const end of [socket, behind]) {
      end.on("error", () => {});
      end.on("close", () => {
        socket.destroy();
        behind.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as { port: number };
  return {
    port,
    calls: (name) => seen.split(name).length - 1,
    stop: () => new Promise((resolve) => listener.close(() => resolve())),
  };
}
