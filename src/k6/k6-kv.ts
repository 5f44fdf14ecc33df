// The class behind `openKv` in k6: the methods of every store, and those that need files done by the
// server.
//
// File names are the server's, relative to its directory for files. Scripts of the seeds begin them with
// "./", and are given them back as they were.

import { AdminMethods } from "../kv/admin.js";
import {
  booleanField,
  type Fields,
  field,
  fieldsOf,
  isInteger,
  refuse,
  textField,
} from "../kv/arguments.js";
import { ArrayMethods } from "../kv/arrays.js";
import { AtomicMethods } from "../kv/atomics.js";
import { ClaimMethods } from "../kv/claims.js";
import {
  csvExportRequest,
  csvImportRequest,
  csvValidateRequest,
  exportRequest,
  jsonlImportRequest,
  jsonlValidateRequest,
} from "../kv/file-arguments.js";
import { Filter } from "../kv/filter.js";
import type { SharedStore } from "../kv/handle.js";
import { observeMethods } from "../kv/observe.js";
import { filterOperationNames, operationNames } from "../kv/operation-names.js";
import { QueryMethods } from "../kv/queries.js";
import type { AnySchema } from "../kv/schema.js";
import { ValueMethods } from "../kv/values.js";
import type { K6Connection } from "./k6-connection.js";

export interface K6Shared extends SharedStore {
  readonly connection: K6Connection;
}

export class K6Kv<Schema = AnySchema> extends AdminMethods<Schema> {
  readonly #connection: K6Connection;

  constructor(shared: K6Shared) {
    super(shared);
    this.#connection = shared.connection;
  }

  backup(options?: unknown): Promise<unknown> {
    return this.#run("backup", options, (fields) => ({
      fileName: snapshotName(fields),
      allowConcurrentWrites: booleanField(fields, "allowConcurrentWrites", false),
    }));
  }

  restore(options?: unknown): Promise<unknown> {
    return this.#run("restore", options, (fields) => ({
      fileName: snapshotName(fields),
      maxEntries: boundField(fields, "maxEntries"),
      maxBytes: boundField(fields, "maxBytes"),
    }));
  }

  exportJSONL(options: unknown): Promise<unknown> {
    return this.#run("export_jsonl", options, exportRequest);
  }

  importJSONL(options: unknown): Promise<unknown> {
    return this.#run("import_jsonl", options, jsonlImportRequest);
  }

  validateJSONL(options: unknown): Promise<unknown> {
    return this.#run("validate_jsonl", options, jsonlValidateRequest);
  }

  exportCSV(options: unknown): Promise<unknown> {
    return this.#run("export_csv", options, csvExportRequest);
  }

  importCSV(options: unknown): Promise<unknown> {
    return this.#run("import_csv", options, csvImportRequest);
  }

  validateCSV(options: unknown): Promise<unknown> {
    return this.#run("validate_csv", options, csvValidateRequest);
  }

  async #run(
    operation: string,
    options: unknown,
    requestOf: (fields: Fields) => { readonly fileName: string },
  ): Promise<unknown> {
    const request = requestOf(fieldsOf(options));
    if (this.ready === undefined) await this.opened();
    const { fileName } = request;
    const asked = { ...request, fileName: fileName.replace(/^(?:\.\/+)+/, "") };
    const result = await this.#connection.run(operation, asked);
    return "fileName" in result ? { ...result, fileName } : result;
  }
}

const snapshotDefault = "./.k6.kv";

/** Without a name, that of the seeds. */
function snapshotName(fields: Fields): string {
  const name = textField(fields, "fileName") ?? "";
  if (name.includes("\0")) refuse('option "fileName"', "a path without NUL characters", name);
  return name.trim() === "" ? snapshotDefault : name;
}

/** 0 or less stands for no bound. */
function boundField(fields: Fields, name: string): number {
  const value = field(fields, name) ?? 0;
  if (!isInteger(value)) refuse(`option "${name}"`, "an integer", value);
  return Math.max(0, value);
}

observeMethods(
  [
    ValueMethods.prototype,
    AtomicMethods.prototype,
    QueryMethods.prototype,
    ClaimMethods.prototype,
    ArrayMethods.prototype,
    AdminMethods.prototype,
    K6Kv.prototype,
  ],
  operationNames,
);
observeMethods([Filter.prototype], filterOperationNames);
