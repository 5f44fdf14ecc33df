// A store into JSONL: one line `{"key":"...","value":...}` for each value, in key order.
//
// Values alone: arrays, claims, filter items and expiry are not in the file.

import { SerializerError } from "../base/errors.js";
import type { Entry } from "../operations/requests.js";
import { type ExportedFile, type ExportRequest, exportFile } from "./export-file.js";
import { messageOf, type Transfer } from "./transfer.js";

/** @throws SerializerError when a stored value cannot be read; the target is then as it was. */
export function exportJsonl(transfer: Transfer, request: ExportRequest): Promise<ExportedFile> {
  const { json } = transfer.format;
  const row = ({ key, value }: Entry): string => {
    try {
      return `{"key":${JSON.stringify(key)},"value":${json(value)}}\n`;
    } catch (cause) {
      if (!(cause instanceof SerializerError)) throw cause;
      const message = `the value of ${JSON.stringify(key)} cannot be exported: ${messageOf(cause)}`;
      const hint = cause.hint === undefined ? {} : { hint: cause.hint };
      throw new SerializerError(message, { cause, key, ...hint });
    }
  };
  return exportFile(transfer, request, { head: "", row });
}
