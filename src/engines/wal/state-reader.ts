// State reader: the newest state into the tables.
//
// A state got its name after all of it had been synced, so a named state that does not check out is
// damage; an older one is never taken instead, because the log before it may be gone.

import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { DiskStoreOpenError } from "../../base/errors.js";
import type { ChangeTarget } from "../../engine/changes.js";
import type { Env } from "../../env/env.js";
import { ChangeDecoder } from "./change-codec.js";
import { formatVersion, numberInName } from "./log-format.js";
import { damage } from "./recovery.js";
import {
  type BlockHeader,
  blockHeaderBytes,
  codecs,
  decodeBlock,
  decodeFooter,
  decodeStateHeader,
  footerBytes,
  stateHeaderBytes,
} from "./state-format.js";

const decompress = promisify(inflateRaw);

export interface FoundState {
  readonly path: string;
  readonly replay: number;
  readonly until: number;
  readonly rows: number;
  readonly store: Uint8Array;
}

export async function stateNames(env: Env, directory: string): Promise<string[]> {
  const names = await env.files.list(directory);
  return names.filter((name) => numberInName(name, ".state") !== undefined);
}

/** Reads the newest state; undefined when there is none. */
export async function readState(
  env: Env,
  directory: string,
  target: ChangeTarget,
): Promise<FoundState | undefined> {
  const name = (await stateNames(env, directory)).at(-1);
  if (name === undefined) return undefined;
  const path = `${directory}/${name}`;
  const bytes = Buffer.from(await env.files.readAll(path));
  const header = decodeStateHeader(bytes);
  if (header === undefined) damage(path, 0, "unreadable state header");
  if (header.version !== formatVersion) {
    throw new DiskStoreOpenError(
      `${path} has format version ${header.version}, not ${formatVersion}`,
    );
  }
  if (header.replay !== numberInName(name, ".state")) damage(path, 8, "state under a wrong name");
  let offset = stateHeaderBytes;
  let blocks = 0;
  for (; bytes.length - offset > footerBytes; blocks++) {
    const block = decodeBlock(bytes, offset);
    if (block === undefined) damage(path, offset, "unreadable block");
    const raw = await unpack(path, bytes, offset, block);
    new ChangeDecoder(raw).decode(0, raw.length, target);
    offset += blockHeaderBytes + block.length;
    await env.timers.breathe();
  }
  const footer = decodeFooter(bytes, offset);
  if (footer === undefined) damage(path, offset, "unreadable state footer");
  if (footer.blocks !== blocks) damage(path, offset, "missing blocks");
  return {
    path,
    replay: header.replay,
    until: footer.until,
    rows: footer.rows,
    store: header.store,
  };
}

export async function unpack(
  path: string,
  bytes: Buffer,
  offset: number,
  block: BlockHeader,
): Promise<Buffer> {
  const start = offset + blockHeaderBytes;
  const payload = bytes.subarray(start, start + block.length);
  if (block.codec === codecs.none) return payload;
  if (block.codec !== codecs.deflate) damage(path, offset, `unknown codec ${block.codec}`);
  const raw = await decompress(payload, { maxOutputLength: block.rawLength + 1 });
  if (raw.length !== block.rawLength) damage(path, offset, "a block of wrong length");
  return raw;
}
