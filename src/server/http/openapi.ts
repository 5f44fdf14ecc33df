// OpenAPI: the description of the door, made of the table that drives it.

import type { HttpOperation } from "./operation.js";
import { httpOperations } from "./operation-table.js";
import { components, listOf, object, type Schema, text } from "./schema.js";

type Json = Readonly<Record<string, unknown>>;

const errorSchema = { $ref: "#/components/schemas/Error" };

/** OpenAPI 3.1. `isOpen`: no token is needed. */
export function openApiDocument(isOpen: boolean): Json {
  const paths: Record<string, Json> = {};
  for (const operation of httpOperations)
    paths[`/v1/${operation.name}`] = { post: post(operation) };
  return {
    openapi: "3.1.0",
    info: {
      title: "anykv",
      version: "1",
      description:
        "A key-value store over HTTP. Every operation is a POST of named arguments as JSON; the answer is `result`, which is left out where there is none. Errors have `error` instead.",
    },
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    ...(isOpen ? {} : { security: [{ bearer: [] }] }),
    paths: { ...paths, ...streamPaths(), ...functionPaths() },
    components: {
      schemas: components,
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      responses: {
        Error: {
          description: "An error of the catalogue, with the status that docs/http.md lists.",
          content: { "application/json": { schema: errorSchema } },
        },
      },
    },
  };
}

/** The body of a request. */
export function bodySchema({ parameters }: HttpOperation): Schema {
  const properties = parameters.map(({ name, schema, summary }) => [
    name,
    { ...schema, description: described(summary, schema.description) },
  ]);
  const required = parameters.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/** The body of an answer. */
export function resultSchema({ result, absent }: HttpOperation): Schema {
  return object({ [absent === undefined ? "result" : "result?"]: result });
}

function described(summary: string, more: string | undefined): string {
  const sentence = `${summary[0]?.toUpperCase()}${summary.slice(1)}.`;
  return more === undefined ? sentence : `${sentence} ${more}`;
}

function post(operation: HttpOperation): Json {
  const { name, family, summary, absent, access, parameters } = operation;
  const notes = [
    ...(absent === undefined ? [] : [`\`result\` is left out when ${absent}.`]),
    ...(access === "write" ? ["Needs a token that may write."] : []),
  ];
  return {
    operationId: name,
    tags: [family],
    summary,
    ...(notes.length === 0 ? {} : { description: notes.join(" ") }),
    requestBody: {
      required: parameters.some(({ isRequired }) => isRequired),
      content: { "application/json": { schema: bodySchema(operation) } },
    },
    responses: {
      200: {
        description: "Carried out.",
        content: { "application/json": { schema: resultSchema(operation) } },
      },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

function get(
  operationId: string,
  summary: string,
  type: string,
  parameters: readonly Json[],
  isPublic = false,
): Json {
  return {
    get: {
      operationId,
      tags: ["Streams and reports"],
      summary,
      ...(isPublic ? { security: [] } : {}),
      parameters,
      responses: {
        200: { description: summary, content: { [type]: {} } },
        default: { $ref: "#/components/responses/Error" },
      },
    },
  };
}

function parameter(name: string, schema: Schema, description: string, required = false): Json {
  return { name, in: "query", required, schema, description };
}

function streamPaths(): Record<string, Json> {
  const range = [
    parameter("prefix", text, "Only keys that begin with it."),
    parameter("limit", { type: "integer" }, "How many; 0 or less: all."),
  ];
  const csv = [
    {
      ...parameter("column", listOf(text), "A property, a column; repeated.", true),
      explode: true,
    },
    parameter("delimiter", text, 'One character; default ",".'),
    parameter("includeKey", { type: "boolean" }, "Put a column `key` before the others."),
  ];
  const interval = parameter("interval", { type: "integer" }, "Milliseconds between two events.");
  const ndjson = "application/x-ndjson";
  return {
    "/v1/scan.ndjson": get("scan.ndjson", "Entries in key order, a line each.", ndjson, range),
    "/v1/export.jsonl": get("export.jsonl", "Entries as a JSONL file.", ndjson, range),
    "/v1/export.csv": get("export.csv", "Values as a CSV file.", "text/csv", [...range, ...csv]),
    "/v1/stats/events": get(
      "stats.events",
      "The state of the store, again and again.",
      "text/event-stream",
      [interval],
    ),
    "/metrics": get("metrics", "Metrics in the text format of Prometheus.", "text/plain", []),
    "/healthz": get("healthz", "Whether the store answers.", "application/json", [], true),
    "/openapi.json": get("openapi.json", "This document.", "application/json", []),
  };
}

function functionPaths(): Record<string, Json> {
  const body = {
    type: "object",
    properties: { tag: text, args: { type: "array" } },
    required: ["tag"],
    additionalProperties: false,
  };
  const answer: Schema = { oneOf: [object({ reply: {} }), object({ refusal: text })] };
  return {
    "/v1/fcall/{operation}": {
      post: {
        operationId: "fcall",
        tags: ["Functions"],
        summary: "A call of the functions that docs/formats/valkey.md describes.",
        parameters: [{ name: "operation", in: "path", required: true, schema: text }],
        requestBody: { required: true, content: { "application/json": { schema: body } } },
        responses: {
          200: {
            description: "What the function replies, or its error reply.",
            content: { "application/json": { schema: answer } },
          },
          default: { $ref: "#/components/responses/Error" },
        },
      },
    },
  };
}
