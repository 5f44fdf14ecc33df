// Time: the clock of the server.

import type { Encoded } from "../encoder.js";
import type { Session } from "../session.js";

export function time({ encode, server }: Session): Encoded {
  const now = server.facts.now();
  const seconds = Math.floor(now / 1_000);
  return encode.array([
    encode.bulk(String(seconds)),
    encode.bulk(String((now - seconds * 1_000) * 1_000)),
  ]);
}
