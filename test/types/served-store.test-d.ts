// A store can be served whatever its schema.

import type { Kv } from "anykv";
import { type KvServer, serve } from "anykv/server";
import { exactly } from "./type-tests.js";

export async function anySchema<Schema>(
  kv: Kv,
  typed: Kv<{ "user:1": { name: string }; count: number }>,
  generic: Kv<Schema>,
): Promise<void> {
  exactly<KvServer>()(await serve(kv, { resp: true }));
  await serve(typed, { resp: { port: 0, users: [{ name: "me", password: "secret" }] } });
  await using server = await serve(generic, { resp: {} });
  exactly<string | undefined>()(server.address.resp?.url);
  // @ts-expect-error A port is a number.
  await serve(kv, { resp: { port: "6380" } });
}
