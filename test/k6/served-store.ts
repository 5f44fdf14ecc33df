// `anykv serve` in a process of its own, for k6: the command line as users start it.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kv } from "anykv";
import { normalizeOptions } from "../../src/kv/options/options.js";
import { acquireApart } from "../../src/kv/registry.js";
import { startProgram } from "../cli/serve-process.js";
import { compilePackage } from "../processes/compiled-package.js";

export type ServedBackend = "memory" | "wal";

export interface ServedStore {
  /** Holds the directory of the store and that of the files. */
  readonly directory: string;
  readonly files: string;
  /** Of the doors. */
  readonly resp: string;
  readonly http: string;
  /** A handle of the store, as a program of Node beside k6 has it. */
  readonly kv: Kv;
  /** @throws when the command did not end as it should. */
  stop(): Promise<void>;
}

/** As `openKv`, which opens one store of a name at one place for the life of a process. */
export function openAt(url: string): Kv {
  return new Kv(acquireApart(normalizeOptions({ backend: "valkey", valkey: { url } }), {}));
}

/** The HTTP door lets in who has the token. */
export async function startServed(backend: ServedBackend, token: string): Promise<ServedStore> {
  const compiled = await compilePackage();
  const directory = mkdtempSync(join(tmpdir(), "anykv-k6-served-"));
  const [store, files] = [join(directory, "store"), join(directory, "files")];
  mkdirSync(files);
  const place = backend === "wal" ? [store, "--backend", "wal"] : ["--backend", backend];
  const doors = ["--port", "0", "--http-port", "0", "--files-directory", files];
  const program = startProgram(compiled, ["serve", ...place, ...doors, "--json"], {
    ANYKV_TOKEN: token,
  });
  const { resp, http } = JSON.parse(await program.firstLine);
  const kv = openAt(resp.url);
  return {
    ...{ directory, files, resp: resp.url, http: http.url, kv },
    stop: async () => {
      await kv.close();
      program.child.kill("SIGTERM");
      const { code, error } = await program.ended;
      compiled.remove();
      rmSync(directory, { recursive: true, force: true });
      if (code !== 0) throw new Error(`anykv serve has ended with ${code}: ${error}`);
    },
  };
}
