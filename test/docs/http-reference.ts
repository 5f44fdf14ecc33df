// HTTP reference: the tables of docs/http.md, made of the table of operations.

import { statusOf } from "../../src/base/error-statuses.js";
import { type ErrorName, errorCatalogue } from "../../src/base/errors.js";
import type { HttpOperation, Parameter } from "../../src/server/http/operation.js";
import { httpOperations } from "../../src/server/http/operation-table.js";
import type { Schema } from "../../src/server/http/schema.js";

/** Everything between the marks of the page. */
export function httpReference(): string {
  const families = [...new Set(httpOperations.map(({ family }) => family))];
  const sections = families.map((family) => section(family));
  return `${sections.join("\n\n")}\n\n### Statuses\n\n${statusTable()}`;
}

function section(family: string): string {
  const rows = httpOperations.filter((operation) => operation.family === family).map(row);
  const head = "| operation | body | `result` | |\n|---|---|---|---|";
  return `### ${family}\n\n${head}\n${rows.join("\n")}`;
}

function row({ name, parameters, result, absent, access, summary }: HttpOperation): string {
  const given = parameters.map(shownParameter).join(", ");
  const left = absent === undefined ? "" : absent === "always" ? "" : `; left out when ${absent}`;
  const shown = absent === "always" ? "always left out" : `${code(typeText(result))}${left}`;
  const mark = access === "write" ? " \\*" : "";
  return `| \`${name}\`${mark} | ${given === "" ? "" : code(`{ ${given} }`)} | ${shown} | ${cell(summary)} |`;
}

function shownParameter({ name, isRequired }: Parameter): string {
  return isRequired ? name : `${name}?`;
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function typeText(schema: Schema): string {
  const { $ref, oneOf, type, items, properties, required = [] } = schema;
  if ($ref !== undefined) return $ref.replace("#/components/schemas/", "").toLowerCase();
  if (oneOf !== undefined) return oneOf.map(typeText).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (items !== undefined) {
    const inner = typeText(items);
    return /[ |]/.test(inner) && !inner.startsWith("{") ? `(${inner})[]` : `${inner}[]`;
  }
  if (properties === undefined) return String(type ?? "anything");
  const members = Object.entries(properties).map(([name, part]) => {
    return `${name}${required.includes(name) ? "" : "?"}: ${typeText(part)}`;
  });
  return `{ ${members.join(", ")} }`;
}

function statusTable(): string {
  const byStatus = new Map<number, ErrorName[]>();
  for (const { name } of errorCatalogue) {
    const status = statusOf[name];
    byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
  }
  const rows = [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, names]) => {
      return `| ${status} | ${names.map((name) => `\`${name}\``).join(", ")} |`;
    });
  return `| status | errors |\n|---|---|\n${rows.join("\n")}`;
}
