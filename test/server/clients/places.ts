// Where the client libraries are tried: `serve` in this process, the command `anykv serve` in a process
// of its own, and a real Valkey, so that what is expected here is what clients are used to.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { type RespOptions, serve } from "anykv/server";
import { startProgram } from "../../cli/serve-process.js";
import { compilePackage } from "../../processes/compiled-package.js";
import type { Certificates } from "../../remote/certificates.js";
import { freePort, startServer, until } from "../../remote/servers.js";

export interface DoorOptions {
  readonly password?: string;
  /** A Unix socket beside the port. */
  readonly path?: string;
  readonly tls?: Certificates;
}

export interface ClientServer {
  readonly port: number;
  /** Breaks all connections; the port is the same afterwards. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface Place {
  readonly name: string;
  /** Whether `FCALL anykv_...` is answered. */
  readonly isOurs: boolean;
  start(options?: DoorOptions): Promise<ClientServer>;
  /** When no more is started. */
  close(): Promise<void>;
}

/** Files of a certificate as `makeCertificates` names them for servers of others. */
function certificateFiles({ serverArgs }: Certificates): { cert: string; key: string } {
  return { cert: serverArgs[1] as string, key: serverArgs[3] as string };
}

let stores = 0;

const inProcess: Place = {
  name: "serve()",
  isOurs: true,
  start: async ({ password, path, tls } = {}) => {
    const kv = openKv({ backend: "memory", name: `clients ${++stores}` });
    const files = tls === undefined ? undefined : certificateFiles(tls);
    const secure = files && { cert: readFileSync(files.cert), key: readFileSync(files.key) };
    const port = await freePort();
    const resp: RespOptions = { port, password, path, tls: secure };
    let server = await serve(kv, { resp });
    return {
      port,
      restart: async () => {
        await server.close();
        server = await serve(kv, { resp });
      },
      stop: async () => {
        await server.close();
        await kv.close();
      },
    };
  },
  close: async () => {},
};

function ownProcess(): Place {
  let compiled: ReturnType<typeof compilePackage> | undefined;
  return {
    name: "anykv serve",
    isOurs: true,
    start: async ({ password, path, tls } = {}) => {
      compiled ??= compilePackage();
      const [program, port] = [await compiled, await freePort()];
      const directory = mkdtempSync(join(tmpdir(), "anykv-clients-"));
      const files = tls === undefined ? undefined : certificateFiles(tls);
      const args = [
        ...["serve", join(directory, "store"), "--backend", "wal", "--port", `${port}`, "--json"],
        ...(path === undefined ? [] : ["--socket", path]),
        ...(files === undefined ? [] : ["--tls-cert", files.cert, "--tls-key", files.key]),
      ];
      const env = password === undefined ? {} : { ANYKV_PASSWORD: password };
      const begin = async () => {
        const started = startProgram(program, args, env);
        await started.firstLine;
        return started;
      };
      let running = await begin();
      const end = async () => {
        running.child.kill("SIGTERM");
        const { code, error } = await running.ended;
        if (code !== 0) throw new Error(`anykv serve has ended with ${code}: ${error}`);
      };
      return {
        port,
        restart: async () => {
          await end();
          running = await begin();
        },
        stop: async () => {
          await end();
          rmSync(directory, { recursive: true, force: true });
        },
      };
    },
    close: async () => (await compiled)?.remove(),
  };
}

const valkey: Place = {
  name: "Valkey",
  isOurs: false,
  start: async ({ password, path, tls } = {}) => {
    const port = await freePort();
    const args = [
      ...(password === undefined ? [] : ["--requirepass", password]),
      ...(path === undefined ? [] : ["--unixsocket", path]),
      // The port is that of TLS then.
      ...(tls === undefined
        ? []
        : ["--tls-port", `${port}`, ...tls.serverArgs, "--tls-auth-clients", "no"]),
    ];
    const begin = async () =>
      startServer({ kind: "valkey", args, ...(tls === undefined ? { port } : {}) });
    let server = await begin();
    return {
      port,
      restart: async () => {
        await server.stop();
        server = await begin();
      },
      stop: () => server.stop(),
    };
  },
  close: async () => {},
};

export function everyPlace(): readonly Place[] {
  return [inProcess, ownProcess(), valkey];
}

/** Ours alone, for what Valkey has more of. */
export function ourPlaces(): readonly Place[] {
  return [inProcess, ownProcess()];
}

/** What is heard on a channel, when it is there. */
export async function heard<Message>(
  messages: readonly Message[],
  count: number,
): Promise<readonly Message[]> {
  await until(() => messages.length >= count);
  return messages;
}
