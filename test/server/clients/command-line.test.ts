// redis-cli and valkey-cli, the real programs, at our doors and at a Valkey: what they print is the
// same wherever the two know the same.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { lackOfOpenssl, makeCertificates } from "../../remote/certificates.js";
import { describeWith, findProgram, lackOf } from "../../remote/servers.js";
import { type ClientServer, everyPlace, type Place } from "./places.js";

for (const program of ["redis-cli", "valkey-cli"]) {
  const missing = findProgram(program) === undefined ? `${program} must be on the PATH` : undefined;
  for (const place of everyPlace()) {
    const lack = missing ?? (place.isOurs ? undefined : lackOf("valkey"));
    describeWith(`${program} at ${place.name}`, lack, () => tests(program, place));
  }
}

function tests(program: string, place: Place): void {
  let server: ClientServer;
  beforeAll(async () => {
    server = await place.start();
  });
  afterAll(async () => {
    await server.stop();
    await place.close();
  });
  beforeEach(() => run(["FLUSHALL"]));

  function begin(args: readonly string[]): ChildProcess {
    return spawn(program, ["-p", `${server.port}`, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  }

  function run(args: readonly string[], input?: string): Promise<string> {
    return saidBy(begin(args), input);
  }

  /** All that it prints, with its exit code when that is not 0. */
  async function saidBy(child: ChildProcess, input?: string): Promise<string> {
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
    }
    child.stdin?.end(input);
    const [code] = await once(child, "close");
    return `${text.trimEnd()}${code === 0 ? "" : `\nended with ${code}`}`;
  }

  test("commands as arguments", async () => {
    expect(await run(["SET", "a", "1"])).toBe("OK");
    expect(await run(["-r", "3", "INCR", "a"])).toBe("2\n3\n4");
    expect(await run(["-x", "SET", "text"], "line 1\nline 2")).toBe("OK");
    expect(await run(["GET", "text"])).toBe("line 1\nline 2");
    expect(await run(["--no-raw", "RPUSH", "list", "a", "b"])).toBe("(integer) 2");
    expect(await run(["--csv", "LRANGE", "list", "0", "-1"])).toBe('"a","b"');
    expect(await run(["--no-raw", "LRANGE", "list", "0", "-1"])).toBe('1) "a"\n2) "b"');
    expect(await run(["GET", "list"])).toMatch(/^WRONGTYPE /);
    expect(await run(["-e", "GET", "list"])).toMatch(/^WRONGTYPE .*\n+ended with 1$/);
    expect(await run(["NOPE", "x"])).toBe(
      "ERR unknown command 'NOPE', with args beginning with: 'x'",
    );
    expect(await run(["-n", "0", "DBSIZE"])).toBe("3");
  });

  test("RESP3", async () => {
    await run(["HSET", "hash", "f", "1", "g", "2"]);
    await run(["SADD", "set", "a"]);
    expect(await run(["-3", "--no-raw", "HGETALL", "hash"])).toBe('1# "f" => "1"\n2# "g" => "2"');
    expect(await run(["-3", "--no-raw", "SMEMBERS", "set"])).toBe('1~ "a"');
    expect(await run(["-3", "--no-raw", "GET", "none"])).toBe("(nil)");
    expect(await run(["-3", "--json", "HGETALL", "hash"])).toBe('{"f":"1","g":"2"}');
    expect(await run(["-3", "--no-raw", "HELLO"])).toContain('"proto" => (integer) 3');
  });

  test("a session, with transactions", async () => {
    const words = [
      ...["SET n 1", "MULTI", "INCR n", 'SET "two words" "a\\x41\\n"', "EXEC", "GET 'two words'"],
      ...["MULTI", "INCR n", "DISCARD", "GET n", "MULTI", "NOPE", "EXEC", "WATCH n", "MULTI"],
      ...["GET n", "EXEC"],
    ];
    const said = await run(["--no-raw"], `${words.join("\n")}\n`);
    const unknown = "(error) ERR unknown command 'NOPE', with args beginning with: ";
    expect(said.split("\n").filter((line) => line !== "")).toEqual([
      ...["OK", "OK", "QUEUED", "QUEUED", "1) (integer) 2", "2) OK", '"aA\\n"'],
      ...["OK", "QUEUED", "OK", '"2"', "OK", unknown],
      "(error) EXECABORT Transaction discarded because of previous errors.",
      ...["OK", "OK", "QUEUED", '1) "2"'],
    ]);
  });

  test("--pipe: many commands at once", async () => {
    const count = 10_000;
    const command = (...words: string[]): string =>
      `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
    const lines = Array.from({ length: count }, (_, number) =>
      number % 100 === 99 ? command("LPUSH", "n", "x") : command("INCR", "n"),
    );
    const said = await run(["--pipe"], lines.join(""));
    expect(said).toContain(`errors: ${count / 100}, replies: ${count}`);
    expect(await run(["GET", "n"])).toBe(`${count - count / 100}`);
  });

  test("--scan, --bigkeys", async () => {
    const numbers = Array.from({ length: 300 }, (_, number) => `key:${number}`);
    await run(["MSET", ...numbers.flatMap((key) => [key, "x"])]);
    await run(["RPUSH", "list", "a", "b", "c"]);
    await run(["SADD", "set", "a", "b"]);
    await run(["HSET", "hash", "f", "1"]);
    const all = (await run(["--scan"])).split("\n");
    expect(all.sort()).toEqual([...numbers, "hash", "list", "set"].sort());
    const some = (await run(["--scan", "--pattern", "key:1?"])).split("\n");
    expect(some).toHaveLength(10);
    const summary = (await run(["--bigkeys"])).split("-------- summary")[1];
    expect(summary).toContain("Sampled 303 keys in the keyspace!");
    expect(summary).toMatch(/Biggest +list found '"?list"?' has 3 items/);
    expect(summary).toMatch(/Biggest +set found '"?set"?' has 2 members/);
    expect(summary).toMatch(/Biggest +hash found '"?hash"?' has 1 fields/);
    expect(summary).toContain("300 strings with 300 bytes (99.01% of keys, avg size 1.00)");
  });

  describe.each([[[]], [["-3"]]])("%j", (protocol) => {
    test("SUBSCRIBE", async () => {
      const listener = begin([...protocol, "--csv", "SUBSCRIBE", "news"]);
      let said = "";
      const told = new Promise<void>((resolve) => {
        listener.stdout?.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          if (said.includes('"message"')) resolve();
        });
      });
      while ((await run(["PUBLISH", "news", "hi"])) === "0");
      await told;
      listener.kill();
      // Older ones say first how they are ended.
      const lines = said.replace(/^Reading messages.*\n/, "");
      expect(lines).toBe('"subscribe","news",1\n"message","news","hi"\n');
    });
  });

  test("--stat and --hotkeys ask for what is told, and say what is not", async () => {
    await run(["SET", "a", "1"]);
    const watcher = begin(["--stat", "-i", "0.01"]);
    let said = "";
    const printed = new Promise<void>((resolve) => {
      watcher.stdout?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        resolve();
      });
    });
    await printed;
    watcher.kill();
    expect(said).toMatch(/^keys +mem +clients +blocked +requests +connections/m);
    expect(said).toMatch(/^1 +\d+\.\d+[KM] +\d+ +0 +\d+/m);
    expect(await run(["OBJECT", "FREQ", "a"])).toContain("An LFU maxmemory policy is not selected");
  });

  test("a password, a socket, a URL", async () => {
    const directory = mkdtempSync(join(tmpdir(), "anykv-cli-"));
    const path = join(directory, "socket");
    const locked = await place.start({ password: "sesame", path });
    const ask = (...args: string[]): Promise<string> => saidBy(spawn(program, args));
    try {
      const port = `${locked.port}`;
      expect(await ask("-p", port, "GET", "a")).toContain("NOAUTH Authentication required.");
      expect(await ask("-p", port, "--no-auth-warning", "-a", "wrong", "PING")).toContain(
        "WRONGPASS",
      );
      expect(await ask("-p", port, "--no-auth-warning", "-a", "sesame", "PING")).toBe("PONG");
      const user = ["--user", "default", "--pass", "sesame"];
      expect(await ask("-s", path, "--no-auth-warning", ...user, "-3", "PING")).toBe("PONG");
      const url = `redis://default:sesame@127.0.0.1:${port}/0`;
      expect(await ask("--no-auth-warning", "-u", url, "PING")).toBe("PONG");
    } finally {
      await locked.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test.skipIf(lackOfOpenssl() !== undefined)("TLS", async () => {
    const certificates = makeCertificates();
    const secure = await place.start({ tls: certificates });
    try {
      const authority = certificates.serverArgs[5] as string;
      const args = ["-p", `${secure.port}`, "--tls", "--cacert", authority, "PING"];
      expect(await saidBy(spawn(program, args))).toBe("PONG");
    } finally {
      await secure.stop();
      certificates.remove();
    }
  });

  test.runIf(place.isOurs)("functions", async () => {
    const key = "anykv:{:0}:v";
    expect(await run(["FCALL", "anykv_increment", "1", key, "n", "5"])).toBe("5");
    expect(await run(["GET", "n"])).toBe("5");
    expect(await run(["EVAL", "return 1", "0"])).toContain("ERR unknown command 'EVAL'");
  });
}
