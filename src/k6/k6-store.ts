// Store of k6: a remote store in a virtual user.
//
// It has nothing removed in the background, since a timer would keep iterations from ending; the
// operations that count do it, and every other client. Who waits for an element asks again and again
// for themselves: in a queue, somebody of a broken iteration could be served for ever.

import type { Stored } from "../engine/stored.js";
import type { Env } from "../env/env.js";
import { RemoteStore } from "../remote/remote-store.js";
import type { WaitRequest } from "../store/store.js";
import type { K6Connection } from "./k6-connection.js";
import { k6Env } from "./k6-env.js";
import type { K6Options } from "./k6-options.js";

const pollMsMin = 5;
const pollMsMax = 250;
const pollGrowth = 1.5;

export class K6Store extends RemoteStore {
  readonly #env: Env;

  constructor(connection: K6Connection, { serialization, trackKeys }: K6Options) {
    super(connection, k6Env, { serialization, trackKeys, reapMsMax: 0 });
    this.#env = k6Env;
  }

  override async popWait(request: WaitRequest): Promise<Stored | undefined> {
    const { clock, timers } = this.#env;
    const { timeoutMs = Infinity, signals } = request;
    const deadline = clock.now() + timeoutMs;
    let pauseMs = pollMsMin;
    while (true) {
      const found = await this.pop(request);
      if (found !== undefined) return found;
      const leftMs = deadline - clock.now();
      if (leftMs <= 0) return undefined;
      const pause = Math.min(pauseMs, leftMs);
      await new Promise<void>((resolve) => timers.after(pause, resolve));
      const closed = signals.find(({ aborted }) => aborted);
      if (closed !== undefined) throw closed.reason;
      pauseMs = Math.min(pollMsMax, pauseMs * pollGrowth);
    }
  }
}
