// BullMQ: what moves a job from waiting to completed, without its loop around it, on the client that
// anykv uses, which pipelines for both.

import { type ConnectionOptions, Queue, Worker } from "bullmq";
import { Redis } from "iovalkey";
import type { BenchServer } from "../harness/server.js";

export const bullmqName = "BullMQ";

export interface JobQueue {
  /** Makes so many jobs wait. */
  fill(count: number): Promise<void>;
  /** Takes a job that waits and completes it; its number, or undefined when there is none. */
  workOne(lane: number): Promise<number | undefined>;
  close(): Promise<void>;
}

export function bullmqQueue({ port }: BenchServer): JobQueue {
  const options = { port, maxRetriesPerRequest: null, enableAutoPipelining: true };
  const client = new Redis(options);
  // A fork of the client that its types know.
  const connection = client as unknown as ConnectionOptions;
  const queue = new Queue("bench", { connection });
  const worker = new Worker("bench", null, { connection, autorun: false });
  return {
    async fill(count) {
      const opts = { removeOnComplete: true };
      for (let first = 0; first < count; first += 1_000) {
        const jobs = Array.from({ length: Math.min(1_000, count - first) }, (_, index) => ({
          name: "job",
          data: { number: first + index },
          opts,
        }));
        await queue.addBulk(jobs);
      }
    },
    async workOne(lane) {
      const token = `lane ${lane}`;
      const job = await worker.getNextJob(token, { block: false });
      if (job === undefined) return undefined;
      await job.moveToCompleted(null, token, false);
      return (job.data as { number: number }).number;
    },
    async close() {
      await worker.close();
      await queue.close();
      client.disconnect();
    },
  };
}
