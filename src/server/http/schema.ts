// Schema: JSON Schema 2020-12, as OpenAPI 3.1 has it, and the pieces that the table of operations is
// written with.

import {
  bucketBytesMax,
  claimOwnerBytesMax,
  claimTtlMsMax,
  keyBytesMax,
  ttlMsMax,
} from "../../base/limits.js";

export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly default?: unknown;
  readonly contentEncoding?: string;
  readonly $ref?: string;
}

export const text: Schema = { type: "string" };
export const boolean: Schema = { type: "boolean" };
export const number: Schema = { type: "number" };
export const yes: Schema = { const: true };
export const nothing: Schema = { type: "null" };
/** Whatever the store keeps; of a `bytes` store base64 text. */
export const value: Schema = { $ref: "#/components/schemas/Value" };
export const claim: Schema = { $ref: "#/components/schemas/Claim" };

export const count: Schema = { type: "integer", minimum: 0 };
export const key: Schema = {
  type: "string",
  minLength: 1,
  description: `At most ${keyBytesMax} bytes of UTF-8.`,
};
export const keys: Schema = { type: "array", items: key };
export const bucket: Schema = {
  type: "string",
  minLength: 1,
  description: `At most ${bucketBytesMax} bytes of UTF-8.`,
};
export const ttl: Schema = { type: "integer", minimum: 1, maximum: ttlMsMax };
export const lease: Schema = { type: "integer", minimum: 1, maximum: claimTtlMsMax };
export const owner: Schema = {
  type: "string",
  description: `At most ${claimOwnerBytesMax} bytes of UTF-8.`,
};

export function integer(minimum?: number, maximum?: number): Schema {
  return {
    type: "integer",
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
  };
}

export function listOf(items: Schema): Schema {
  return { type: "array", items };
}

/** All properties are always there, but for those whose names end in "?". */
export function object(properties: Readonly<Record<string, Schema>>): Schema {
  const entries = Object.entries(properties);
  const plain = entries.map(([name, schema]) => [name.replace(/\?$/, ""), schema] as const);
  const required = entries.filter(([name]) => !name.endsWith("?")).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(plain),
    required,
    additionalProperties: false,
  };
}

export function orNull(schema: Schema): Schema {
  return { oneOf: [schema, nothing] };
}

export const entry: Schema = object({ key, value });

/** The schemas that others refer to. */
export const components: Readonly<Record<string, Schema>> = {
  Value: {
    description:
      'A value: any JSON in a store with the serialization "json", a string with "string", base64 text (RFC 4648, padded) with "bytes".',
  },
  ClaimRef: {
    type: "object",
    description: "What identifies a claim. A claim can be passed whole; other members are ignored.",
    properties: { id: text, key, token: integer(1) },
    required: ["id", "key", "token"],
  },
  Claim: object({
    id: text,
    key,
    token: integer(1),
    expiresAt: { type: "integer", description: "Unix milliseconds." },
    entry,
    "owner?": text,
  }),
  Error: object({
    error: object({
      name: { type: "string", description: "Of the catalogue of errors." },
      code: { type: "string", description: "Stable: `ANYKV_` and a name." },
      message: text,
      "key?": text,
      "hint?": text,
      "errors?": listOf(object({ "key?": text, name: text, message: text })),
    }),
  }),
};

export const claimRef: Schema = { $ref: "#/components/schemas/ClaimRef" };
