// Body: how an operation is carried out.
//
// - `read` and `write` run inside one transaction of the store, synchronously: they check first and
//   write afterwards, and one that throws has changed nothing;
// - with `ranked`, on tables from which everything due has been removed: for what counts by rank;
// - `steps` is for what takes several transactions, or none.

import type { Awaitable, Transaction, View } from "../../engine/engine.js";
import type { FunctionCall } from "./function-call.js";
import type { FunctionHost } from "./function-host.js";
import type { FunctionReply } from "./function-reply.js";

export type ReadRun = (view: View, call: FunctionCall, host: FunctionHost) => FunctionReply;
export type WriteRun = (
  transaction: Transaction,
  call: FunctionCall,
  host: FunctionHost,
) => FunctionReply;
export type StepsRun = (call: FunctionCall, host: FunctionHost) => Awaitable<FunctionReply>;

export type FunctionBody =
  | { readonly kind: "read"; readonly ranked: boolean; readonly run: ReadRun }
  | { readonly kind: "write"; readonly ranked: boolean; readonly run: WriteRun }
  | { readonly kind: "steps"; readonly run: StepsRun };

export type FunctionBodies = Readonly<Record<string, FunctionBody>>;

export const read = (run: ReadRun): FunctionBody => ({ kind: "read", ranked: false, run });
export const query = (run: ReadRun): FunctionBody => ({ kind: "read", ranked: true, run });
export const write = (run: WriteRun): FunctionBody => ({ kind: "write", ranked: false, run });
export const allocate = (run: WriteRun): FunctionBody => ({ kind: "write", ranked: true, run });
export const steps = (run: StepsRun): FunctionBody => ({ kind: "steps", run });

export function flag(holds: boolean): 0 | 1 {
  return holds ? 1 : 0;
}
