// TCP proxy: stands between a client and a server, and loses what it is told to lose.

import { createConnection, createServer, type Server, type Socket } from "node:net";

export class TcpProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  #holdsReplies = false;
  #refuses = false;
  #fatal: string | undefined;
  /** Connections that clients have made. */
  connections = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** From now on requests get through and replies do not. */
  holdReplies(): void {
    this.#holdsReplies = true;
  }

  /** Breaks all connections once, when a request has that text in it; the request gets through. */
  cutBehind(text: string): void {
    this.#fatal = text;
  }

  /** Breaks all connections; held replies are lost. New ones work, unless they are refused. */
  cut({ refuse = false } = {}): void {
    this.#holdsReplies = false;
    this.#refuses = refuse;
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    this.#pairs.clear();
  }

  accept(): void {
    this.#refuses = false;
  }

  async close(): Promise<void> {
    this.cut({ refuse: true });
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    this.connections++;
    client.on("error", () => {});
    if (this.#refuses) {
      client.destroy();
      return;
    }
    const upstream = createConnection(this.#target, "127.0.0.1");
    const pair = { client, upstream };
    this.#pairs.add(pair);
    upstream.on("error", () => client.destroy());
    client.on("data", (bytes) => {
      const isFatal = this.#fatal !== undefined && bytes.includes(this.#fatal);
      if (!isFatal) {
        upstream.write(bytes);
        return;
      }
      this.#fatal = undefined;
      client.destroy();
      upstream.end(bytes);
    });
    upstream.on("data", (bytes) => {
      if (!this.#holdsReplies) client.write(bytes);
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  }
}
