// Connection of k6: the calls of one store, over either transport.
//
// It sees to the library and to the partitions before its first call, because nothing can be sent when
// the store is opened, and again when the server has lost either: then nothing has happened. Calls that
// come together each see to it themselves: the promise of another call may belong to an iteration that
// was broken off, and never settle.

import { BackendUnavailableError, ServerAccessError, StoreReadOnlyError } from "../base/errors.js";
import { Calls } from "../remote/calls.js";
import {
  type Argument,
  type Call,
  type Connection,
  LibraryError,
  type Reply,
  type ServerFacts,
} from "../remote/connection.js";
import { libraryWith } from "../remote/library.js";
import { operationTable } from "../remote/operation-table.js";
import { partitionTag, storeTag } from "../remote/partitions.js";
import { isNotOpen, typedError } from "../remote/remote-errors.js";
import { inspectPartitions, openPartitions } from "../remote/remote-opening.js";
import { type Ask, loadLibrary } from "../remote/valkey/library-loader.js";
import { isFunctionMissing, isReplyError, serverError } from "../remote/valkey/server-errors.js";
import { k6Env } from "./k6-env.js";
import type { Transport } from "./transport.js";

export interface K6Names {
  readonly prefix: string;
  readonly store: string | undefined;
  readonly partitions: number;
  readonly readOnly: boolean;
}

export class K6Connection implements Connection {
  readonly partitions: number;
  readonly server: ServerFacts;
  readonly hasEnded = false;
  readonly #transport: Transport;
  readonly #tags: readonly string[];
  readonly #readOnly: boolean;
  #isOpen = false;

  constructor(transport: Transport, { prefix, store, partitions, readOnly }: K6Names) {
    this.partitions = partitions;
    this.server = { description: transport.at, isCluster: false };
    this.#transport = transport;
    this.#readOnly = readOnly;
    this.#tags = Array.from({ length: partitions }, (_, partition) =>
      partitionTag(prefix, storeTag(store), partition),
    );
  }

  async call({ operation, partition, args }: Call): Promise<Reply> {
    const kind = operationTable[operation];
    if (this.#readOnly && kind !== "read" && kind !== "reap") {
      throw new StoreReadOnlyError("disk store was opened in read-only mode");
    }
    if (!this.#isOpen) await this.#open();
    try {
      return await this.#sendLoaded(operation, partition, args);
    } catch (error) {
      if (!isLost(error)) throw error;
    }
    // Nothing has happened: the server has lost its data, and the partition with them.
    await this.#open();
    return this.#sendLoaded(operation, partition, args).catch((error: unknown) => {
      throw isLost(error) ? typed(error) : error;
    });
  }

  /**
   * Has the server do what needs its files.
   *
   * @throws BackendUnavailableError when the server has no files: it is a bare Valkey.
   */
  async run(operation: string, request: object): Promise<object> {
    if (!this.#isOpen) await this.#open();
    try {
      return await this.#transport.run(operation, this.#tags[0] as string, request);
    } catch (error) {
      const failure = error as Error;
      if (isFunctionMissing(failure) || failure.message.startsWith("ANYKV_UNKNOWN_OPERATION")) {
        throw new BackendUnavailableError(`${operation} is work for a server with files`, {
          hint: "run `anykv serve` with a directory for files, and give its URL: a bare Valkey has none",
        });
      }
      throw typed(this.#errorOf(error));
    }
  }

  onReconnect(): void {}

  async opened(): Promise<void> {}

  /** k6 ends its connections with the virtual user. */
  async close(): Promise<void> {}

  /** @throws what the opening of a remote store throws. */
  async #open(): Promise<void> {
    const { partitions, server } = this;
    const unopened: Connection = {
      ...{ partitions, server, hasEnded: false },
      call: ({ operation, partition, args }) => this.#sendLoaded(operation, partition, args),
      opened: async () => {},
      onReconnect: () => {},
      close: async () => {},
    };
    await this.#load();
    // What is sent here has no values in it.
    const calls = new Calls(unopened, k6Env, "json");
    await (this.#readOnly ? inspectPartitions(calls) : openPartitions(calls));
    this.#isOpen = true;
  }

  /** Brings the library to a server that lacks it; `anykv serve` has it built in. */
  async #load(): Promise<void> {
    const transport = this.#transport;
    if (transport.ask === undefined) return;
    try {
      const ask: Ask = (command = "", ...args) =>
        (transport as Required<Transport>).ask(command, args);
      if ((await loadLibrary(ask, libraryWith("server"))) === "functions") return;
      throw new ServerAccessError(`${transport.at}: the server forbids functions`, {
        hint: "let the user of the k6 module call +fcall and +function|load",
      });
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  /** Where the server has lost its library, or been replaced, it is given it again. */
  async #sendLoaded(
    operation: string,
    partition: number,
    args: readonly Argument[],
  ): Promise<Reply> {
    try {
      return await this.#send(operation, partition, args);
    } catch (error) {
      if (!isFunctionMissing(error as Error)) throw this.#errorOf(error);
    }
    await this.#load();
    return this.#send(operation, partition, args).catch((error: unknown) => {
      throw this.#errorOf(error);
    });
  }

  #send(operation: string, partition: number, args: readonly Argument[]): Promise<Reply> {
    return this.#transport.call(operation, this.#tags[partition] as string, args);
  }

  #errorOf(error: unknown): unknown {
    if (!isReplyError(error)) return error;
    if (error.message.startsWith("ANYKV_")) return new LibraryError(error.message);
    return serverError(error, this.#transport.at);
  }
}

function isLost(error: unknown): error is LibraryError {
  return error instanceof LibraryError && isNotOpen(error);
}

/** What is not made by an operation of the store has to be read here. */
function typed(error: unknown): unknown {
  return error instanceof LibraryError ? typedError(error, {}) : error;
}
