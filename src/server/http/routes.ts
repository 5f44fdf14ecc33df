// Routes: what the door offers, by path.

import { readFields } from "./body.js";
import { type DoorContext, type Exchange, queryOf, type Route } from "./exchange.js";
import {
  answerFunction,
  functionAccess,
  functionPath,
  type ServedFunctions,
} from "./function-calls.js";
import { openApiDocument } from "./openapi.js";
import type { HttpOperation } from "./operation.js";
import { httpOperations } from "./operation-table.js";
import { prepareCall } from "./prepared-call.js";
import { errorAnswer, refused } from "./refusal.js";
import { jsonType, sendText } from "./reply.js";
import { bytesAsBase64 } from "./values.js";

/** One route for each operation of the table. */
export function operationRoutes(context: DoorContext): Record<string, Route> {
  const entries = httpOperations.map((operation): [string, Route] => {
    return [`/v1/${operation.name}`, operationRoute(context, operation)];
  });
  return Object.fromEntries(entries);
}

function operationRoute(context: DoorContext, operation: HttpOperation): Route {
  const { name, access, pace } = operation;
  const call = prepareCall(operation, context.isBytes);
  const { kv, files, settings } = context;
  const replacer = context.isBytes ? bytesAsBase64 : undefined;
  return {
    name,
    method: "POST",
    access,
    async handle(exchange) {
      queryOf(exchange, []);
      const fields = await readFields(exchange.request, settings.bodyBytesMax);
      const signal = pace === undefined ? undefined : context.attend(exchange, pace);
      const result = await call(fields, { kv, files, signal });
      return sendText(exchange.response, 200, jsonType, JSON.stringify({ result }, replacer));
    },
  };
}

/** What describes the door and the store. */
export function reportRoutes(
  context: DoorContext,
  metricsText: () => Promise<string>,
): Record<string, Route> {
  const document = JSON.stringify(openApiDocument(context.settings.tokens.length === 0));
  const route = (name: string, handle: Route["handle"]): Route => {
    return { name, method: "GET", access: "read", handle };
  };
  const health = (exchange: Exchange): Promise<void> => sendHealth(context, exchange);
  return {
    "/openapi.json": route("openapi.json", ({ response }) =>
      sendText(response, 200, jsonType, document),
    ),
    "/metrics": route("metrics", async ({ response }) => {
      const type = "text/plain; version=0.0.4; charset=utf-8";
      return sendText(response, 200, type, await metricsText());
    }),
    "/healthz": { ...route("healthz", health), isPublic: true },
  };
}

/** Whether the store answers, told to anybody: so nothing more is. */
async function sendHealth(context: DoorContext, { response }: Exchange): Promise<void> {
  try {
    await context.kv.size();
    sendText(response, 200, jsonType, '{"status":"ok"}');
  } catch (error) {
    const { name, code } = errorAnswer(error, context.naming).body.error;
    const body = { status: "unavailable", error: { name, code } };
    sendText(response, 503, jsonType, JSON.stringify(body));
  }
}

/** The route of a path below `functionPath`; undefined when there is no such function. */
export function functionRoute(
  context: DoorContext,
  functions: ServedFunctions | undefined,
  path: string,
): Route | undefined {
  const operation = path.slice(functionPath.length);
  const common = { name: "fcall", method: "POST" } as const;
  if (functions === undefined) return { ...common, access: "read", handle: refuseFunctions };
  const access = functionAccess(functions, operation);
  if (access === "unknown") return undefined;
  return {
    ...common,
    access,
    async handle(exchange) {
      queryOf(exchange, []);
      const fields = await readFields(exchange.request, context.settings.bodyBytesMax);
      const attend = (): AbortSignal => context.attend(exchange, "works");
      const body = await answerFunction(functions, operation, fields, attend);
      return sendText(exchange.response, 200, jsonType, JSON.stringify(body));
    },
  };
}

function refuseFunctions(): never {
  throw refused(501, "this server has no functions", "serve a store that is kept here");
}
