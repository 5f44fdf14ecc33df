// One scenario makes tokens, two others take them.

import { sleep } from "k6";
import { openKv } from "./k6.js";

export const options = {
  scenarios: {
    producer: { executor: "shared-iterations", vus: 1, iterations: 10, exec: "producer" },
    consumer: {
      executor: "shared-iterations",
      vus: 1,
      iterations: 10,
      startTime: "2s",
      exec: "consumer",
    },
    randomConsumer: {
      executor: "shared-iterations",
      vus: 1,
      iterations: 10,
      startTime: "1s",
      exec: "randomConsumer",
    },
  },
};

const kv = openKv({ backend: "memory", trackKeys: true });

export async function producer() {
  let latestProducerID = 0;
  if (await kv.exists("latest-producer-id")) latestProducerID = await kv.get("latest-producer-id");

  console.log(`[producer]-> adding token ${latestProducerID}`);
  await kv.set(`token-${latestProducerID}`, "token-value");
  await kv.set("latest-producer-id", latestProducerID + 1);
  sleep(0.2);
}

export async function consumer() {
  console.log("[consumer]<- waiting for next token");
  const [entry] = await kv.list({ prefix: "token-" });
  // Whoever deletes it has it: another consumer may have seen it, too.
  if (entry !== undefined && (await kv.deleteIfExists(entry.key))) {
    console.log(`[consumer]<- consumed token ${entry.key}`);
  } else {
    console.log("[consumer]<- no tokens available");
  }
  sleep(0.2);
}

export async function randomConsumer() {
  console.log("[randomConsumer]<- attempting random token retrieval");
  const entry = await kv.popRandom({ prefix: "token-" });
  if (entry === null) console.log("[randomConsumer]<- no tokens available");
  else console.log(`[randomConsumer]<- random key: ${entry.key}, value: ${entry.value}`);
  sleep(0.2);
}
