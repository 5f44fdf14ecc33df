// The calls of a remote store by HTTP, passed on to a Valkey: the form that the HTTP door answers.

import { createServer } from "node:http";
import { Redis } from "iovalkey";
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
  await redis.call("FUNCTION", "LOAD", "REPLACE", libraryWith("server").functions);
  const called: string[] = [];

  async function answer(operation: string, body: string): Promise<object> {
    const { tag, args } = JSON.parse(body) as { tag: string; args: (string | number)[] };
    called.push(operation);
    try {
      return { reply: await redis.call("FCALL", `anykv_${operation}`, 1, `${tag}:v`, ...args) };
    } catch (error) {
      return { refusal: (error as Error).message };
    }
  }

  const door = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const operation = /^\/v1\/fcall\/(\w+)$/.exec(request.url ?? "")?.[1] ?? "";
    const isAllowed = request.headers.authorization === `Bearer ${token}`;
    response.statusCode = isAllowed ? 200 : 401;
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify(isAllowed ? await answer(operation, body) : { error: { name: "x" } }),
    );
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  const { port } = door.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    called,
    stop: async () => {
      door.closeAllConnections();
      await new Promise((resolve) => door.close(resolve));
      await redis.quit();
    },
  };
}
