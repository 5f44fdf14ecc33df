// Schema check: the part of JSON Schema that the door's description uses, written down plainly.

import { components, type Schema } from "../../../src/server/http/schema.js";

/** What of a value is not as the schema says, with its path; empty when all is. */
export function schemaFaults(schema: Schema, value: unknown, path = "$"): string[] {
  const resolved = resolve(schema);
  const { oneOf } = resolved;
  if (oneOf !== undefined) {
    const fitting = oneOf.filter((one) => schemaFaults(one, value, path).length === 0);
    return fitting.length >= 1 ? [] : [`${path} fits none of ${oneOf.length} schemas`];
  }
  if ("const" in resolved)
    return same(resolved.const, value) ? [] : [`${path} is not the constant`];
  if (resolved.enum !== undefined) {
    return resolved.enum.includes(value) ? [] : [`${path} is none of the enumeration`];
  }
  if (resolved.type === undefined) return value === undefined ? [`${path} is missing`] : [];
  if (!hasType(resolved.type, value)) return [`${path} is no ${String(resolved.type)}`];
  if (typeof value === "number") return numberFaults(resolved, value, path);
  if (typeof value === "string") {
    return value.length < (resolved.minLength ?? 0) ? [`${path} is too short`] : [];
  }
  if (Array.isArray(value)) {
    const { items } = resolved;
    if (items === undefined) return [];
    return value.flatMap((item, index) => schemaFaults(items, item, `${path}[${index}]`));
  }
  if (typeof value === "object" && value !== null) return objectFaults(resolved, value, path);
  return [];
}

export function resolve(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.replace("#/components/schemas/", "");
  const found = components[name];
  if (found === undefined) throw new Error(`there is no schema ${schema.$ref}`);
  return found;
}

function same(a: unknown, b: unknown): boolean {
  return Object.is(a, b);
}

function hasType(type: string | readonly string[], value: unknown): boolean {
  return [type].flat().some((one) => {
    if (one === "integer") return Number.isInteger(value);
    if (one === "null") return value === null;
    if (one === "array") return Array.isArray(value);
    if (one === "object")
      return typeof value === "object" && value !== null && !Array.isArray(value);
    return typeof value === one;
  });
}

function numberFaults({ minimum, maximum }: Schema, value: number, path: string): string[] {
  if (minimum !== undefined && value < minimum) return [`${path} is below ${minimum}`];
  if (maximum !== undefined && value > maximum) return [`${path} is above ${maximum}`];
  return [];
}

function objectFaults(schema: Schema, value: object, path: string): string[] {
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const faults = required
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => `${path}.${name} is missing`);
  for (const [name, part] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known !== undefined) faults.push(...schemaFaults(known, part, `${path}.${name}`));
    else if (additionalProperties === false) faults.push(`${path}.${name} is not described`);
    else if (typeof additionalProperties === "object") {
      faults.push(...schemaFaults(additionalProperties, part, `${path}.${name}`));
    }
  }
  return faults;
}
