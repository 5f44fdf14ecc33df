// The sources compiled into a temporary folder, for tests that need the package in a process of its
// own. Scripts in `source` form, and other folders of the repository, import it as "anykv".

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface CompiledPackage {
  readonly directory: string;
  /** Writes a script of JavaScript beside the package and returns its path. */
  script(name: string, source: string): string;
  remove(): void;
}

async function compile(file: string, to: string): Promise<void> {
  const { code } = await transformWithOxc(readFileSync(file, "utf8"), file);
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, code);
}

async function compileFolder(sources: string, to: string): Promise<void> {
  const files = readdirSync(sources, { recursive: true, withFileTypes: true });
  for (const file of files) {
    if (!file.isFile() || !/\.(ts|lua)$/.test(file.name)) continue;
    const path = join(file.parentPath, file.name);
    const target = join(to, relative(sources, path));
    if (path.endsWith(".ts")) await compile(path, target.replace(/\.ts$/, ".js"));
    else cpSync(path, target);
  }
}

/** Takes about a second; the caller removes it. `folders` of the repository come with it. */
export async function compilePackage(...folders: readonly string[]): Promise<CompiledPackage> {
  const directory = mkdtempSync(join(tmpdir(), "anykv-package-"));
  await compileFolder(join(root, "src"), join(directory, "dist"));
  for (const folder of folders) await compileFolder(join(root, folder), join(directory, folder));
  cpSync(join(root, "package.json"), join(directory, "package.json"));
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  return {
    directory,
    script(name, source) {
      const path = join(directory, name);
      // By renaming: a process that was just started with a script of that name may be reading it.
      writeFileSync(`${path}.new`, source);
      renameSync(`${path}.new`, path);
      return path;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
