// Opening of a connection: client, server, library.
//
// All of it within `connectTimeout`, and every failure is a typed error that says where.

import { isKvError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import type { ServerFacts } from "../connection.js";
import { type LibraryClock, libraryWith } from "../library.js";
import { storeTag } from "../partitions.js";
import { backOffMs, clusterOptions, standaloneOptions } from "./client-options.js";
import { type ConnectContext, connectError, timeoutError } from "./connect-errors.js";
import { warnOfEviction } from "./eviction.js";
import { type LibraryForm, loadEverywhere } from "./library-loader.js";
import { Link } from "./link.js";
import { isPassing, isReplyError, serverError } from "./server-errors.js";
import { type ClientModule, loadClientModule } from "./valkey-client.js";
import { ValkeyConnection } from "./valkey-connection.js";
import { addressText, type ServerAddress, type ValkeySettings } from "./valkey-settings.js";

export interface OpenOptions {
  readonly env: Pick<Env, "clock" | "random" | "timers">;
  readonly settings: ValkeySettings;
  /** Of the store; undefined is a name of its own. */
  readonly storeName: string | undefined;
  /** Which clock decides expiry; tests move theirs. */
  readonly clock?: LibraryClock;
}

/** How soon a server that is loading its data is asked again. */
const loadingPauseMs = 50;

/**
 * @throws BackendUnavailableError, ServerConnectionError, ServerAccessError, ServerUnsuitableError,
 * ServerRefusedError
 */
export async function openValkey(options: OpenOptions): Promise<ValkeyConnection> {
  return new Opening(options).run();
}

class Opening {
  readonly #options: OpenOptions;
  readonly #links: Link[] = [];
  /** What is being spoken to. */
  #link: Link | undefined;
  #at: string;
  #isOver = false;
  readonly #openBy: number;

  constructor(options: OpenOptions) {
    this.#options = options;
    const { nodes, client, connectTimeoutMs } = options.settings;
    this.#openBy = options.env.clock.monotonic() + connectTimeoutMs;
    this.#at = client === undefined ? `valkey at ${nodes.map(addressText).join(", ")}` : "valkey";
  }

  async run(): Promise<ValkeyConnection> {
    const { env, settings } = this.#options;
    const { connectTimeoutMs } = settings;
    let giveUp: (error: Error) => void = () => {};
    const tooLate = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    // In the foreground: somebody waits for it, and sockets alone do not keep the process alive.
    const timer = env.timers.after(connectTimeoutMs, () => giveUp(this.#timeout()), true);
    try {
      const connecting = this.#connect();
      connecting.catch(() => {});
      return await Promise.race([connecting, tooLate]);
    } catch (error) {
      this.#isOver = true;
      for (const link of this.#links) link.hangUp();
      throw error;
    } finally {
      timer.cancel();
    }
  }

  async #connect(): Promise<ValkeyConnection> {
    const { settings } = this.#options;
    if (settings.client !== undefined) {
      const link = this.#newLink(settings.client, false);
      const facts = await this.#open(link);
      return this.#finish(link, facts ?? { description: "cluster", isCluster: true });
    }
    const clients = await loadClientModule();
    return settings.isCluster ? this.#openCluster(clients) : this.#openStandalone(clients);
  }

  async #openStandalone({ Redis }: ClientModule): Promise<ValkeyConnection> {
    const { settings } = this.#options;
    const [address] = settings.nodes as [ServerAddress];
    let isOpen = false;
    const retry = (attempts: number): number | null => (isOpen ? backOffMs(attempts) : null);
    const link = this.#newLink(new Redis(standaloneOptions(settings, address, retry)), true);
    const facts = await this.#open(link);
    const connection = await this.#finish(link, facts as ServerFacts);
    isOpen = true;
    return connection;
  }

  async #openCluster({ Redis, Cluster }: ClientModule): Promise<ValkeyConnection> {
    const { settings } = this.#options;
    const facts = await this.#probe(Redis);
    const link = this.#newLink(new Cluster(settings.nodes, clusterOptions(settings)), true);
    await this.#open(link);
    return this.#finish(link, facts);
  }

  /** Asks the nodes in turn until one answers: a client of a cluster hides why none does. */
  async #probe(Redis: ClientModule["Redis"]): Promise<ServerFacts> {
    const { settings } = this.#options;
    let failure: unknown;
    for (const address of settings.nodes) {
      if (this.#isOver) break;
      const at = `valkey at ${addressText(address)}`;
      const link = this.#newLink(new Redis(standaloneOptions(settings, address, null)), true, at);
      try {
        return (await this.#open(link)) as ServerFacts;
      } catch (error) {
        failure = error;
      } finally {
        await link.hangUp();
      }
    }
    throw failure;
  }

  #newLink(client: Link["client"], isOwn: boolean, at = this.#at): Link {
    const { env, settings } = this.#options;
    const link = new Link(client, { env, isOwn, expected: { at, isCluster: settings.isCluster } });
    this.#links.push(link);
    this.#link = link;
    return link;
  }

  async #open(link: Link): Promise<ServerFacts | undefined> {
    try {
      return await link.open();
    } catch (error) {
      throw this.#explained(link, error as Error);
    }
  }

  async #finish(link: Link, server: ServerFacts): Promise<ValkeyConnection> {
    const { env, settings, storeName, clock = "server" } = this.#options;
    const library = libraryWith(clock);
    const form = await this.#load(link, library);
    const { prefix, partitions, isCluster, tls } = settings;
    const { connectTimeoutMs, commandTimeoutMs, retryWrites } = settings;
    const names = { prefix, store: storeTag(storeName), partitions, isCluster };
    const [at, hasTls] = [this.#at, tls !== undefined];
    // An opening that has been given up must not leave a connection that nobody closes.
    if (this.#isOver) throw new Error("the opening was given up");
    void warnOfEviction(link.primaries(), this.#at);
    return new ValkeyConnection({
      ...{ env, link, names, library, form, server, at, hasTls, retryWrites },
      ...{ connectTimeoutMs, commandTimeoutMs, openBy: this.#openBy },
    });
  }

  /** Waits for a server that is loading its data, as long as there is time. */
  async #load(link: Link, library: ReturnType<typeof libraryWith>): Promise<LibraryForm> {
    for (;;) {
      try {
        return await loadEverywhere(link, library);
      } catch (error) {
        const isWaiting = isReplyError(error) && isPassing(error) && !this.#isOver;
        if (!isWaiting) throw this.#explained(link, error as Error);
        link.lastError = error;
        await new Promise<void>((resolve) =>
          this.#options.env.timers.after(loadingPauseMs, resolve),
        );
      }
    }
  }

  #explained(link: Link, error: Error): Error {
    if (isKvError(error)) return error;
    const { lastError } = link;
    if (isKvError(lastError)) return lastError;
    const isAnswer = isReplyError(error);
    return connectError(isAnswer ? error : (lastError ?? silent(error)), this.#context(link));
  }

  #timeout(): Error {
    const link = this.#link as Link;
    const { lastError } = link;
    if (isReplyError(lastError)) return serverError(lastError, this.#at);
    return timeoutError(this.#options.settings.connectTimeoutMs, this.#context(link));
  }

  #context(link: Link): ConnectContext {
    const { wasConnected, hasTcp } = link;
    const hasTls = this.#options.settings.tls !== undefined;
    return { at: this.#at, hasTls, wasConnected, hasTcp };
  }
}

/** That a connection is closed says nothing that is not known. */
function silent(error: Error): Error | undefined {
  return error.message === "Connection is closed." ? undefined : error;
}
