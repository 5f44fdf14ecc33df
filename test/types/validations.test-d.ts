// What a check of a file answers: whether it is valid decides whether there is a first error.

import type { CsvValidation, JsonlValidation } from "anykv";
import { exactly } from "./type-tests.js";

export function theFirstErrorIsThereWhenTheFileIsNotValid(
  csv: CsvValidation,
  jsonl: JsonlValidation,
): void {
  if (!csv.valid) exactly<{ row: number; name: string; message: string }>()(csv.firstError);
  else exactly<undefined>()(csv.firstError);
  if (!jsonl.valid) exactly<number>()(jsonl.firstError.line);
  const { valid, firstError } = csv;
  if (!valid) exactly<number>()(firstError.row);
  exactly<number | undefined>()(jsonl.firstError?.line);
  exactly<boolean>()(csv.checkedAll);
  // @ts-expect-error The file may be valid.
  csv.firstError.row;
  // @ts-expect-error A result that is not valid says why.
  const silent: JsonlValidation = { valid: false, records: 0, bytesRead: 0, checkedAll: false };
  void silent;
}
