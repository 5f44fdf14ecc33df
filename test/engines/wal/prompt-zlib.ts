// `node:zlib` without its thread pool, where compression would end in another order in every run:
//
//   vi.mock("node:zlib", async (original) => {
//     const { promptZlib } = await import("./prompt-zlib.js");
//     return promptZlib(await original());
//   });

import type * as Zlib from "node:zlib";

type Done = (error: Error | null, result?: Buffer) => void;

function prompt(work: (bytes: Buffer, options: object) => Buffer) {
  return (bytes: Buffer, options: object, done: Done): void => {
    queueMicrotask(() => {
      try {
        done(null, work(bytes, options));
      } catch (error) {
        done(error as Error);
      }
    });
  };
}

export function promptZlib(zlib: typeof Zlib): object {
  const deflateRaw = prompt(zlib.deflateRawSync);
  const inflateRaw = prompt(zlib.inflateRawSync);
  return { ...zlib, default: zlib, deflateRaw, inflateRaw };
}
