// Addresses of servers among the options of the valkey backend: hosts, ports, sockets and nodes.
//
// Whoever puts an URL where a host belongs has put a password there, too. So what stands in a wrong
// place is never repeated, and never gets as far as a message of the connection.

import { InvalidOptionsError } from "../../base/errors.js";
import { type ServerAddress, valkeyDefaults } from "../../remote/valkey/valkey-settings.js";
import { describe, type Fields, field, isInteger, isPlainObject } from "../arguments.js";
import { checkNames, namesOf } from "../option-names.js";

/** A node of a cluster: "host:port", or its parts. */
export type ValkeyNode = string | { readonly host: string; readonly port?: number | undefined };

/** What begins so is an URL of a server, whatever slashes are missing. */
const serverScheme = /^(?:valkeys?|rediss?|unix):/i;

export function isServerUrl(text: string): boolean {
  return serverScheme.test(text);
}

export type NodeList = readonly ServerAddress[];

const portMax = 65_535;
const urlHint = "an URL goes into `url`, a user and a password into `username` and `password`";
const nodeNames = namesOf<Exclude<ValkeyNode, string>>({ host: true, port: true });

/** As `refuse`, of what may be a secret: no text is repeated. */
export function refuseUnseen(option: string, expected: string, value: unknown): never {
  const got = typeof value === "string" ? "another text" : describe(value);
  const hint = typeof value === "string" && /@|:\/\//.test(value) ? { hint: urlHint } : {};
  throw new InvalidOptionsError(`option "${option}" must be ${expected}, got ${got}`, hint);
}

/** @throws InvalidOptionsError for what is no name of a host and no address. */
export function checkHost(host: string, option: string): void {
  const expected = "the name or the address of a host alone";
  if (/[@/?#\s]/.test(host)) refuseUnseen(option, expected, host);
  // More colons than one are an address of IPv6.
  const hasPort = /^[^:]*:[^:]*$|\]:/.test(host);
  if (!hasPort && !/[[\]]/.test(host)) return;
  throw new InvalidOptionsError(`option "${option}" must be ${expected}, got another text`, {
    hint: hasPort ? "the port goes into `port`" : "an address of IPv6 has no brackets here",
  });
}

/** @throws InvalidOptionsError for an URL. */
export function checkSocketPath(path: string, option: string): void {
  if (isServerUrl(path) || path.includes("://"))
    refuseUnseen(option, "the path of a Unix socket", path);
}

export function portField(fields: Fields, option: string): number | undefined {
  const port = field(fields, "port");
  if (port === undefined || (isInteger(port) && port >= 1 && port <= portMax)) return port;
  return refuseUnseen(option, `an integer from 1 to ${portMax}`, port);
}

export function clusterOption(fields: Fields): boolean | NodeList {
  const cluster = field(fields, "cluster") ?? false;
  if (typeof cluster === "boolean") return cluster;
  if (!Array.isArray(cluster) || cluster.length === 0) {
    return refuseUnseen("valkey.cluster", "a boolean or a list of nodes", cluster);
  }
  return cluster.map((node: unknown, index) => nodeAddress(node, `valkey.cluster[${index}]`));
}

function nodeAddress(node: unknown, option: string): ServerAddress {
  if (typeof node === "string") return textAddress(node, option);
  const fields = isPlainObject(node) ? node : refuseNode(option, node);
  // What it does not know it would leave out: a password beside the host, for example.
  checkNames(fields, nodeNames, `${option}.`);
  const host = field(fields, "host");
  const port = portField(fields, `${option}.port`);
  if (typeof host !== "string" || host === "") return refuseNode(option, node);
  checkHost(host, `${option}.host`);
  return { host, port: port ?? valkeyDefaults.port };
}

/** The last colon parts the port; an address of IPv6 stands in brackets then. */
function textAddress(node: string, option: string): ServerAddress {
  const [, inBrackets, plain = "", port] =
    /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(node) ?? refuseNode(option, node);
  const host = inBrackets ?? plain;
  return nodeAddress(port === undefined ? { host } : { host, port: Number(port) }, option);
}

function refuseNode(option: string, node: unknown): never {
  return refuseUnseen(option, '"host:port" or an object { host, port }', node);
}
