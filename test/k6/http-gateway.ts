// The calls of a remote store by HTTP, passed on to a Valkey, and work on files, done here: the form
// that the HTTP door answers.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { Redis } from "iovalkey";
import { isKvError } from "../../src/base/errors.js";
import { operationNames } from "../../src/kv/operation-names.js";
import { libraryWith } from "../../src/remote/library.js";

export interface HttpGateway {
  readonly url: string;
  /** Operations that were called, in their order. */
  readonly called: readonly string[];
  stop(): Promise<void>;
}

/** Answers whoever has the token. */
export async function startHttpGateway(server: string, token: string): Promise<HttpGateway> {
  const redis = new Redis(server.replace(/^valkey:/, "redis:"));
  const library = libraryWith("server");
  await redis.call("FUNCTION", "LOAD", "REPLACE", library.functions);
  const kv = openKv({ backend: "valkey", valkey: { url: server } });
  const files = mkdtempSync(join(tmpdir(), "anykv-k6-files-"));
  const called: string[] = [];

  async function work(operation: string, body: string): Promise<object> {
    const method = Object.entries(operationNames).find(([, name]) => name === operation)?.[0] ?? "";
    const options = JSON.parse(body) as { fileName: string };
    const given = { ...options, fileName: join(files, options.fileName) };
    const methods = kv as unknown as Record<string, (options: object) => Promise<object>>;
    return { result: { ...(await methods[method]?.(given)) } };
  }

  async function answer(operation: string, body: string): Promise<object> {
    const { tag, args } = JSON.parse(body) as { tag: string; args: (string | number)[] };
    called.push(operation);
    try {
      return {
        reply: await redis.call("FCALL", `${library.name}_${operation}`, 1, `${tag}:v`, ...args),
      };
    } catch (error) {
      return { refusal: (error as Error).message };
    }
  }

  const door = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const [, door, operation = ""] = /^\/v1\/(fcall\/)?(\w+)$/.exec(request.url ?? "") ?? [];
    let [status, answered] = [401, { error: { name: "RequestRefusedError" } } as object];
    if (request.headers.authorization === `Bearer ${token}`) {
      status = 200;
      answered = await (door === undefined ? work : answer)(operation, body).catch((error) => {
        status = 400;
        return { error: isKvError(error) ? error : { name: "x", message: String(error) } };
      });
    }
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(answered));
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  const { port } = door.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    called,
    stop: async () => {
      door.closeAllConnections();
      await new Promise((resolve) => door.close(resolve));
      await Promise.all([redis.quit(), kv.close()]);
      rmSync(files, { recursive: true, force: true });
    },
  };
}
