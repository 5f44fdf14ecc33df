// The command serve: a store for other processes and machines, until a signal ends it.

import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { InvalidOptionsError } from "../../base/errors.js";
import { serializations } from "../../kv/options/choices.js";
import { httpDefaults } from "../../server/http/http-options.js";
import { respDefaults } from "../../server/resp/resp-options.js";
import type { KvServer } from "../../server/serve.js";
import {
  addCommand,
  type CommandLine,
  durationMs,
  integerFrom,
  reporting,
} from "../define-command.js";
import { exitCodes } from "../exit-codes.js";
import { type DoorFlags, httpOptions, respOptions } from "../serve/serve-options.js";
import { openServed, type ServedFlags, type ServedStore } from "../serve/served-store.js";
import type { Terminal } from "../terminal.js";

type ServeFlags = DoorFlags & ServedFlags;

const serveText = {
  name: "serve",
  description: "Let other processes use a store: clients of Redis and Valkey, HTTP, and k6.",
  details: `Without STORE and --config it is a store in memory, which ends with the process. A path is the store
that lies there; where there is nothing it becomes a disk store, or what --backend says. A store on
a server (valkey://) can be given an HTTP door: --no-resp --http.

Both doors open to this machine alone. To listen elsewhere, give secrets: the password of the RESP
door in ANYKV_PASSWORD or --password-file, users in --users-file (a line: NAME PASSWORD [read-only]),
tokens of the HTTP door in ANYKV_TOKEN or --tokens-file (a line: TOKEN [read-only]).

It prints where it listens, with --json as one line of JSON, and serves until SIGINT or SIGTERM. Then
it takes no more connections, finishes what it has received, closes the store and ends with the code
0. A second signal ends it at once, with the code 130: what was acknowledged is as durable as the
store promises.`,
  examples: [
    "anykv serve",
    "anykv serve ./data/jobs --backend wal --http",
    "anykv serve --config anykv.yml --store sessions --socket /run/anykv.sock",
    'ANYKV_PASSWORD="$(cat /run/secrets/kv)" anykv serve ./.anykv --host 0.0.0.0',
  ],
};

export function addServe(line: CommandLine): void {
  const command = addCommand(line, serveText).argument(
    "[store]",
    "path of a wal or disk store, or URL valkey:// of a server; left out: in memory",
  );
  addStoreOptions(command);
  addDoorOptions(command);
  addSecretOptions(command);
  command.action((store: string | undefined, flags: ServeFlags) =>
    reporting(line, flags, () => serveCommand(line.terminal, store, flags)),
  );
}

function addStoreOptions(command: Command): void {
  const backends = ["memory", "wal", "disk", "shared"];
  const backend = "what a new path becomes, wal or disk; without a path memory or shared";
  command
    .option("--json", "print where it listens as JSON")
    .option("--config <file>", "YAML file that names the store")
    .option("--store <name>", "which of the stores in that file, if there are several")
    .addOption(new Option("--backend <kind>", backend).choices(backends))
    .option("--name <name>", 'under which clients with the backend "valkey" open the store')
    .addOption(
      new Option("--serialization <mode>", "how values are kept (default json)").choices(
        serializations,
      ),
    )
    .option("--sync-writes", "of a wal store: acknowledge a write when it is on the disk (default)")
    .option(
      "--no-sync-writes",
      "of a wal store: acknowledge a write when it is in a buffer: faster",
    )
    .option("--track-keys", "build the index of keys at once")
    .option("--metrics", "measure the operations that come by HTTP, for GET /metrics");
}

function addDoorOptions(command: Command): void {
  const { port, host, clientsMax } = respDefaults;
  const port16 = integerFrom(0, 65_535);
  command
    .option("--no-resp", "open no RESP door")
    .option("--host <address>", `where to listen (default ${host})`)
    .option("--port <n>", `of the RESP door; 0: any free one (default ${port})`, port16)
    .option("--socket <path>", "Unix socket of the RESP door; alone: instead of a port")
    .option("--http", "open the HTTP door, too")
    .option("--http-host <address>", "where it listens (default as --host)")
    .option("--http-port <n>", `its port; 0: any free one (default ${httpDefaults.port})`, port16)
    .option("--allowed-host <name...>", "names of this server in URLs, where there are no tokens")
    .option("--cors-origin <origin...>", "pages of these origins may call from a browser")
    .option("--files-directory <path>", "the only one in which callers may name files")
    .option("--tls-cert <file>", "speak TLS at the ports, with this certificate")
    .option("--tls-key <file>", "its key")
    .option("--tls-ca <file>", "let in only who has a certificate of this authority")
    .option("--clients-max <n>", `RESP connections (default ${clientsMax})`, integerFrom(1))
    .option("--idle-timeout <duration>", "end RESP connections that are silent", durationMs)
    .option("--close-timeout <duration>", "time to finish when it ends (default 10s)", durationMs);
}

function addSecretOptions(command: Command): void {
  command
    .option("--password-file <file>", "its first line is the password of the RESP door")
    .option("--password <text>", "the password itself: others can see it")
    .option("--users-file <file>", "users of the RESP door")
    .option("--tokens-file <file>", "tokens of the HTTP door")
    .option("--no-protected-mode", "listen on outside addresses without secrets");
}

async function serveCommand(
  terminal: Terminal,
  text: string | undefined,
  flags: ServeFlags,
): Promise<0> {
  // What is wrong with them is to be said before a store comes into being.
  const [resp, http] = [respOptions(terminal, flags), httpOptions(flags)];
  if (resp === undefined && http === undefined) {
    throw new InvalidOptionsError("there is no door to open", { hint: "give --http, too" });
  }
  await requireDirectory(terminal, flags.filesDirectory);
  const signal = terminal.interruption();
  const store = await openServed(terminal, text, flags);
  try {
    // The servers take longer to load than all the rest, and no other command needs them.
    const { serve } = await import("../../server/serve.js");
    const { filesDirectory: files } = flags;
    const doors = await serve(store.kv, { resp, http, files, storeName: store.name });
    try {
      announce(terminal, store, doors, flags);
      await aborted(signal);
      terminal.error("anykv: closing\n");
    } finally {
      await doors.close();
    }
  } catch (error) {
    await store.close().catch(() => {});
    throw error;
  }
  await store.close();
  return exitCodes.fine;
}

async function requireDirectory({ env }: Terminal, directory: string | undefined): Promise<void> {
  if (directory === undefined) return;
  if ((await env.files.stat(resolve(directory)))?.kind === "directory") return;
  throw new InvalidOptionsError("--files-directory must be a directory that is there");
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function announce(
  terminal: Terminal,
  { backend, address, name }: ServedStore,
  doors: KvServer,
  { json = false }: ServeFlags,
): void {
  const { resp, http } = doors.address;
  if (json) {
    const store = { backend, address, name };
    terminal.out(`${JSON.stringify({ pid: process.pid, store, ...doors.address })}\n`);
    return;
  }
  const lines = [
    `serving ${backend}${address === "" ? "" : ` ${address}`}, process ${process.pid}`,
  ];
  if (resp !== undefined) {
    const socket = resp.port === undefined ? undefined : resp.path;
    lines.push(`  RESP ${resp.url}${socket === undefined ? "" : ` and unix://${socket}`}`);
  }
  if (http !== undefined) lines.push(`  HTTP ${http.url}`);
  terminal.out(`${lines.join("\n")}\n`);
}
