// The k6 module: src/k6 and what it uses of the library as one file that imports k6's own modules
// alone.
//
// What the library asks of Node stands in a few files and names; here others take their place, which
// ask k6 (src/k6/host). The library of functions goes along as it comes out, one text that all virtual
// users share, which would each put it together for themselves otherwise.

import { join, relative, sep } from "node:path";
import { build, runnerImport } from "vite";

/** Files of src/, and modules of Node, by what stands for them. */
const replacements = {
  "src/base/encodings.ts": "encodings.ts",
  "src/env/warnings.ts": "warnings.ts",
  "src/kv/serialization/compressed.ts": "compressed.ts",
  "src/remote/remote-content.ts": "no-copies.ts",
  "src/remote/remote-replace.ts": "no-copies.ts",
  "src/remote/remote-snapshot.ts": "no-copies.ts",
  "node:diagnostics_channel": "diagnostics-channel.ts",
  "node:events": "events.ts",
};
const libraryFile = "src/remote/library.ts";
const banner = `// anykv for k6. Made from src/k6: see docs/k6.md.`;

function host(root) {
  const folder = join(root, "src", "k6", "host");
  return {
    name: "anykv-k6-host",
    enforce: "pre",
    async resolveId(specifier, importer, options) {
      const named = replacements[specifier];
      if (named !== undefined) return join(folder, named);
      if (!specifier.startsWith(".") || importer === undefined) return null;
      const resolved = await this.resolve(specifier, importer, { ...options, skipSelf: true });
      const path = relative(root, resolved?.id ?? "")
        .split(sep)
        .join("/");
      const replacement = replacements[path];
      return replacement === undefined ? resolved : join(folder, replacement);
    },
    load(id) {
      return relative(root, id).split(sep).join("/") === libraryFile ? libraryModule(root) : null;
    },
  };
}

/** In the place of the file that puts the library together; scripts are not called from k6. */
async function libraryModule(root) {
  const { module } = await runnerImport(join(root, libraryFile), { configFile: false, root });
  const { name, digest, functions } = module.libraryWith("server");
  return `const library = ${JSON.stringify({ name, digest, functions })};
export const layoutVersion = ${module.layoutVersion};
export function libraryWith() {
  return library;
}`;
}

/** Globals of Node, and what k6 lacks of the language, as they are used. */
const ofNode =
  /\bBuffer\.\w|\bprocess\.\w|\bstructuredClone\(|\bsetImmediate\(|\bqueueMicrotask\(|\.isWellFormed\(\)|import\.meta/;

/** @throws when something of Node is left. */
function refuseForeign(output) {
  const foreign = output
    .flatMap(({ imports = [] }) => imports)
    .filter((name) => !/^k6\//.test(name));
  if (foreign.length > 0) throw new Error(`k6.js imports ${foreign.join(", ")}`);
  const lines = output.flatMap(({ code = "" }) => code.split("\n"));
  // Those of the library of functions are Lua, in one line.
  const left = lines.filter((line) => ofNode.test(line) && !/^\s*(?:\/\/|\*|\/\*\*)/.test(line));
  if (left.length > 0) throw new Error(`k6.js uses what k6 does not have:\n${left.join("\n")}`);
}

/** Writes k6.js into the folder. @throws when something of Node is left. */
export async function bundleK6(root, outDir) {
  const abort = join(root, "src", "k6", "host", "abort.ts");
  const { output } = await build({
    configFile: false,
    root,
    logLevel: "warn",
    plugins: [host(root)],
    build: {
      outDir,
      emptyOutDir: false,
      copyPublicDir: false,
      minify: false,
      target: "es2022",
      lib: { entry: join(root, "src/k6/open-kv.ts"), formats: ["es"], fileName: () => "k6.js" },
      rolldownOptions: {
        external: /^k6(\/|$)/,
        output: { banner, codeSplitting: false },
        transform: {
          inject: {
            AbortController: [abort, "AbortController"],
            AbortSignal: [abort, "AbortSignal"],
          },
        },
      },
    },
  }).then((result) => (Array.isArray(result) ? result[0] : result));
  refuseForeign(output);
}
