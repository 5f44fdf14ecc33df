// The command claims: who holds which keys, and the release of a claim whose holder is gone.

import { InvalidOptionsError } from "../../base/errors.js";
import { checkKey } from "../../kv/arguments.js";
import type { ListedClaim } from "../../kv/types.js";
import {
  addStoreCommand,
  type CommandLine,
  integerFrom,
  printJson,
  reporting,
} from "../define-command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { type StoreFlags, withTarget } from "../open-target.js";
import type { StoreCalls, Target } from "../store-calls.js";
import type { Terminal } from "../terminal.js";
import { shownKey } from "../value-text.js";
import { isConfirmed } from "./confirm.js";

interface ClaimsFlags extends StoreFlags {
  readonly prefix?: string;
  readonly limit?: number;
  readonly release?: string;
  readonly yes?: boolean;
}

const claimsText = {
  name: "claims",
  description: "List the live claims of a store, or release one.",
  details: `A line is key, token, end of the lease, time left and owner, between tabs. With --json each line is a
JSON object { "key", "id", "token", "expiresAt", "owner" }. Claims do not outlive a closed memory
store, and in wal and disk stores they go on until their leases end.

--release shows the claim of one key and asks before it frees the key, unless --yes is given too. The
holder is not told: what it does with the claim afterwards is refused as stale. A claim that another
one has taken the place of meanwhile is left alone.`,
  examples: [
    "anykv claims valkey://localhost:6380 --prefix job:",
    "anykv claims --json ./data/jobs | jq -r .owner | sort | uniq -c",
    "anykv claims http://localhost:6381 --release job:17",
  ],
};

export function addClaims(line: CommandLine): void {
  const { terminal } = line;
  addStoreCommand(line, claimsText)
    .option("--prefix <text>", "only keys that begin so")
    .option("--limit <n>", "at most so many", integerFrom(1))
    .option("--release <key>", "end the claim of this key")
    .option("-y, --yes", "do not ask")
    .action((store: string, flags: ClaimsFlags) =>
      reporting(line, flags, () => {
        const { release, prefix, limit } = flags;
        if (release === undefined) {
          return withTarget(terminal, store, flags, { writes: false }, ({ calls }) =>
            listClaims(terminal, calls, flags),
          );
        }
        checkKey(release);
        if (prefix !== undefined || limit !== undefined) {
          throw new InvalidOptionsError(
            "--release is of one key: it goes with neither --prefix nor --limit",
          );
        }
        return withTarget(terminal, store, flags, { writes: true }, (target) =>
          releaseClaim(terminal, target, release, flags),
        );
      }),
    );
}

const pageClaimsMax = 500;

async function listClaims(
  terminal: Terminal,
  calls: StoreCalls,
  { prefix = "", limit = Number.MAX_SAFE_INTEGER, json = false }: ClaimsFlags,
): Promise<ExitCode> {
  let cursor = "";
  for (let left = limit; left > 0; ) {
    const page = await calls.listClaims({ prefix, cursor, limit: Math.min(left, pageClaimsMax) });
    const now = terminal.env.clock.now();
    const lines = page.claims.map((claim) =>
      json ? JSON.stringify(claim) : claimLine(claim, now),
    );
    terminal.out(lines.map((text) => `${text}\n`).join(""));
    if (page.done || !(await terminal.flushed())) break;
    left -= page.claims.length;
    cursor = page.cursor;
  }
  return exitCodes.fine;
}

/** Whose clock the store goes by is not known here, so the time that is left is about right. */
function claimLine({ key, token, expiresAt, owner = "" }: ListedClaim, now: number): string {
  const left = `${Math.max(0, Math.round((expiresAt - now) / 1_000))} s`;
  const end = new Date(expiresAt).toISOString();
  return [shownKey(key), token, end, left, shownKey(owner)].join("\t");
}

async function releaseClaim(
  terminal: Terminal,
  { calls, address }: Target,
  key: string,
  { yes = false, json = false }: ClaimsFlags,
): Promise<ExitCode> {
  // The first key of its own prefix is the key itself, if it has a claim.
  const { claims } = await calls.listClaims({ prefix: key, cursor: "", limit: 1 });
  const claim = claims.find((found) => found.key === key);
  if (claim === undefined) {
    if (json) printJson(terminal, { key, released: false });
    else terminal.error(`anykv: nobody holds a claim on ${JSON.stringify(key)}\n`);
    return exitCodes.missing;
  }
  if (!yes) {
    terminal.error(`${claimLine(claim, terminal.env.clock.now())}\n`);
    if (!(await isConfirmed(terminal, `Release this claim in ${address}?`))) return exitCodes.usage;
  }
  const isReleased = await calls.releaseClaim(claim);
  if (json) printJson(terminal, { ...claim, released: isReleased });
  else if (isReleased) terminal.out(`the claim on ${JSON.stringify(key)} is released\n`);
  else terminal.error(`anykv: the claim on ${JSON.stringify(key)} has ended by itself\n`);
  return isReleased ? exitCodes.fine : exitCodes.missing;
}
