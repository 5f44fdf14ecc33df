// The OpenAPI document: made of the table, and nothing of the library or the door is missing in it.

import { expect, test } from "vitest";
import { filterOperationNames, operationNames } from "../../../src/kv/operation-names.js";
import { httpOperations } from "../../../src/server/http/operation-table.js";
import { openDoor } from "./doors.js";

async function document(options = {}): Promise<any> {
  const { client } = await openDoor(options);
  const headers = { Authorization: "Bearer token-0123456789" };
  const { text, status } = await client.send("GET", "/openapi.json", undefined, { headers });
  expect(status).toBe(200);
  return JSON.parse(text);
}

test("every operation of the library is in the table, under its name", () => {
  const names = [...Object.values(operationNames), ...Object.values(filterOperationNames)];
  expect(httpOperations.map(({ name }) => name).sort()).toStrictEqual(names.sort());
});

test("every row of the table is in the document, and every answer and body has a schema", async () => {
  const { paths, openapi } = await document();
  expect(openapi).toMatch(/^3\.1\./);
  for (const { name, parameters, summary } of httpOperations) {
    const { post } = paths[`/v1/${name}`];
    expect(post).toMatchObject({ operationId: name, summary });
    const body = post.requestBody.content["application/json"].schema;
    expect(body).toMatchObject({ type: "object", additionalProperties: false });
    expect(Object.keys(body.properties)).toStrictEqual(parameters.map((one) => one.name));
    expect(post.responses[200].content["application/json"].schema.type).toBe("object");
    expect(post.responses.default).toStrictEqual({ $ref: "#/components/responses/Error" });
  }
});

test("ids differ, references lead somewhere, and schemas have known keywords", async () => {
  const whole = await document();
  const ids: string[] = [];
  const walk = (part: unknown, path: string): void => {
    if (typeof part !== "object" || part === null) return;
    for (const [name, inner] of Object.entries(part)) {
      if (name === "$ref") {
        const target = String(inner)
          .slice(2)
          .split("/")
          .reduce((at: any, step) => at?.[step], whole);
        expect([path, target]).not.toStrictEqual([path, undefined]);
      }
      if (name === "operationId") ids.push(String(inner));
      walk(inner, `${path}/${name}`);
    }
  };
  walk(whole, "#");
  expect(new Set(ids).size).toBe(ids.length);
});

test("every path of the document is one of the door, with these methods", async () => {
  const { client } = await openDoor();
  const { paths } = JSON.parse((await client.send("GET", "/openapi.json")).text);
  for (const [path, item] of Object.entries<object>(paths)) {
    const real = path.replace("{operation}", "get");
    const { status, headers } = await client.send("OPTIONS", real);
    expect([path, status]).toStrictEqual([path, 204]);
    for (const method of Object.keys(item)) {
      expect(headers.allow?.split(", ")).toContain(method.toUpperCase());
    }
  }
});

test("a token is asked for where one is needed", async () => {
  expect((await document()).security).toBeUndefined();
  const guarded = await document({ tokens: ["token-0123456789"] });
  expect(guarded.security).toStrictEqual([{ bearer: [] }]);
  expect(guarded.paths["/healthz"].get.security).toStrictEqual([]);
});
