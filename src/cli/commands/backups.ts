// The commands backup and restore: everything that a store holds into a file, and back.

import { Handle } from "../../kv/handle.js";
import type { Kv } from "../../kv/kv.js";
import {
  addStoreCommand,
  backendOption,
  type CommandLine,
  libraryArgument,
  reporting,
} from "../define-command.js";
import { exitCodes } from "../exit-codes.js";
import type { StoreFlags } from "../open-target.js";
import type { Terminal } from "../terminal.js";
import { count } from "../text.js";
import { isConfirmed } from "./confirm.js";
import { named, printReport, requireFile, withKv } from "./library.js";

export function addBackupCommands(line: CommandLine): void {
  addBackup(line);
  addRestore(line);
}

const backupText = {
  name: "backup",
  description: "Write everything as it is at this moment into a file.",
  details: `Values, arrays and filters with their expiry; claims stay behind. The file opens as a disk store. It
appears when it is complete, has been read back and is on the disk, and replaces what was there.`,
  examples: [
    "anykv backup ./data/simple_kv backup-2026-11-21",
    "anykv backup valkey://localhost:6380 ./backup",
  ],
};

interface BackupFlags extends StoreFlags {
  readonly allowConcurrentWrites?: boolean;
}

function addBackup(line: CommandLine): void {
  const { terminal } = line;
  addStoreCommand(line, backupText, libraryArgument)
    .argument("<file>", "the file")
    .option("--allow-concurrent-writes", "take values as they are when their turn comes")
    .action((store: string, file: string, flags: BackupFlags) =>
      reporting(line, flags, async () => {
        const { allowConcurrentWrites = false } = flags;
        const attended = { signal: terminal.interruption(), onProgress: copyTold(terminal) };
        const use = { writes: false, needsLibrary: "backup" };
        const summary = await withKv(terminal, store, flags, use, (kv) =>
          kv.backup({ fileName: named(file), allowConcurrentWrites, ...attended }),
        );
        const { totalEntries, bytesWritten, warning } = summary;
        if (warning !== "") terminal.error(`anykv: warning: ${warning}\n`);
        const text = `${entries(totalEntries)} written, ${count(bytesWritten, "byte")}`;
        return printReport(terminal, flags, { ...summary, file }, text);
      }),
    );
}

const restoreText = {
  name: "restore",
  description: "Replace everything in a store by what is in a backup.",
  details: `The file is read and checked first; then the store changes over at once. It asks before it does so,
unless the store is empty or --yes is given. Claims end.`,
  examples: [
    "anykv restore ./data/simple_kv backup-2026-11-21 --backend wal",
    "anykv restore --yes valkey://localhost:6380 ./backup",
  ],
};

interface RestoreFlags extends StoreFlags {
  readonly yes?: boolean;
  readonly backend?: string;
}

function addRestore(line: CommandLine): void {
  const { terminal } = line;
  addStoreCommand(line, restoreText, libraryArgument)
    .argument("<file>", "the file that backup wrote, or that of a disk store")
    .option("-y, --yes", "do not ask")
    .addOption(backendOption("path"))
    .action((store: string, file: string, flags: RestoreFlags) =>
      reporting(line, flags, async () => {
        const { yes = false, backend } = flags;
        await requireFile(terminal, file);
        const use = { writes: true, creates: { backend }, needsLibrary: "restore" };
        const summary = await withKv(terminal, store, flags, use, async (kv) => {
          if (!yes && !(await mayReplace(terminal, kv))) return undefined;
          const attended = { signal: terminal.interruption(), onProgress: copyTold(terminal) };
          return kv.restore({ fileName: named(file), ...attended });
        });
        if (summary === undefined) return exitCodes.usage;
        return printReport(terminal, flags, summary, `${entries(summary.totalEntries)} restored`);
      }),
    );
}

async function mayReplace(terminal: Terminal, kv: Kv): Promise<boolean> {
  const { store } = await Handle.served(kv);
  const number = await store.countEntries();
  if (number === 0) return true;
  return isConfirmed(terminal, `Replace everything in the store, ${entries(number)}?`);
}

function entries(number: number): string {
  return `${number.toLocaleString("en")} ${number === 1 ? "entry" : "entries"}`;
}

function copyTold(
  terminal: Terminal,
): (progress: { phase: string; rows: number; totalRows: number }) => void {
  return ({ phase, rows, totalRows }) => {
    const shown = Math.min(rows, totalRows).toLocaleString("en");
    terminal.progress(`${phase} ${shown}/${totalRows.toLocaleString("en")}`);
  };
}
