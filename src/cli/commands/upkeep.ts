// The commands that look after whole stores: verify, repair and copy.

import { type CopyFlags, copyCommand } from "../copy-command.js";
import { addCommand, backendOption, type CommandLine } from "../define-command.js";
import {
  type RepairFlags,
  repairCommand,
  type VerifyFlags,
  verifyCommand,
} from "../store-commands.js";

export function addUpkeepCommands(line: CommandLine): void {
  addVerify(line);
  addRepair(line);
  addCopy(line);
}

const verifyText = {
  name: "verify",
  description: "Read all of a store and tell what is damaged. Changes nothing.",
  details: `The file of a disk store may be in use meanwhile; the directory of a wal store may not.`,
  examples: ["anykv verify ./data/simple_kv", "anykv verify --json ./.anykv | jq .problems"],
};

function addVerify(line: CommandLine): void {
  const { terminal, finish } = line;
  addCommand(line, verifyText)
    .argument("<path>", "the file or the directory of the store")
    .option("--json", "print the report as JSON")
    .action(async (path: string, flags: VerifyFlags) =>
      finish(await verifyCommand(terminal, path, flags)),
    );
}

const repairText = {
  name: "repair",
  description: "Make a damaged store open again, and tell what is lost.",
  details: `A damaged wal store is rewritten from all that its checksums prove. The files that were there are
moved to <path>/quarantine/<time>/, none is removed, and report.json beside them says what is lost.
In a disk store, what is computed from rows is computed anew, and rows that do not fit together are
put in order. If pages are damaged, the rows that can be read are written to a new file; the old one
becomes <path>.damaged-<time>. Nobody may have the store open. A store in order is left as it is.`,
  examples: [
    "anykv repair ./data/simple_kv",
    "anykv repair --yes --json ./data/simple_kv > report.json",
  ],
};

function addRepair(line: CommandLine): void {
  const { terminal, finish } = line;
  addCommand(line, repairText)
    .argument("<path>", "the file or the directory of the store")
    .option("--json", "print the report as JSON")
    .option("-y, --yes", "do not ask")
    .action(async (path: string, flags: RepairFlags) =>
      finish(await repairCommand(terminal, path, flags)),
    );
}

const copyText = {
  name: "copy",
  description: "Copy a whole store to another place, of the same or another backend.",
  details: `FROM and TO are paths of wal or disk stores, backups included, or URLs of servers:
  valkey://[user:password@]host[:port][/database][?name=STORE&prefix=PREFIX&cluster=true&partitions=N]
  redis: means the same, valkeys: and rediss: add TLS, unix:///path is a socket.
  A password in an argument is seen by all users of the machine: leave it out of the URL and set
  ANYKV_FROM_PASSWORD or ANYKV_TO_PASSWORD.

Values, arrays and filters are copied with their expiry; claims stay behind, and no token comes twice.
On a server STORE must be the name with which the application opens the store: the \`name\` of
openKv, or its key in a YAML configuration. Without one it is the store without a name.
TO must be empty. A copy that was killed goes on when the same command is given again. In the end
both stores are read again and compared.`,
  examples: [
    'anykv copy ./data/simple_kv "valkey://localhost:6379?name=simple_kv"',
    'anykv copy "valkey://db.example:6379?name=jobs" ./jobs --backend wal',
    "anykv copy --replace --json ./.anykv ./copy > report.json",
  ],
};

function addCopy(line: CommandLine): void {
  const { terminal, finish } = line;
  addCommand(line, copyText)
    .argument("<from>", "path or URL of the store to read")
    .argument("<to>", "path or URL of the store to fill")
    .option("--replace", "make TO equal to FROM, whatever it holds")
    .option("--merge", "write what FROM holds over what TO holds, and keep the rest")
    .addOption(backendOption("path TO"))
    .option("--json", "print the report as JSON")
    .action(async (from: string, to: string, flags: CopyFlags) =>
      finish(await copyCommand(terminal, from, to, flags)),
    );
}
