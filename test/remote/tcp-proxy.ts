// TCP proxy: stands between a client and a server, and loses or delays what it is told to.

import { createConnection, createServer, type Server, type Socket } from "node:net";

export class TcpProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  #holdsReplies = false;
  #silenced: string | undefined;
  #refuses = false;
  #fatal: string | undefined;
  #late: { readonly text: string; readonly refuse: boolean } | undefined;
  #withheld: { readonly bytes: Buffer; readonly upstream: Socket } | undefined;
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

  /** The same from a request on that has that text in it. */
  holdRepliesBehind(text: string): void {
    this.#silenced = text;
  }

  /** Breaks all connections once, when a request has that text in it; the request gets through. */
  cutBehind(text: string): void {
    this.#fatal = text;
  }

  /**
   * Keeps the next request with that text in it, and breaks the connection of its client: the request
   * is on its way until `deliver` is called. New connections work, unless they are refused.
   */
  withhold(text: string, { refuse = false } = {}): void {
    this.#late = { text, refuse };
  }

  get isWithholding(): boolean {
    return this.#withheld !== undefined;
  }

  /** Lets the server have what was withheld; resolves to its answer. */
  async deliver(): Promise<string> {
    const { bytes, upstream } = this.#withheld as { bytes: Buffer; upstream: Socket };
    this.#withheld = undefined;
    const answer = new Promise<Buffer>((resolve) => upstream.once("data", resolve));
    upstream.write(bytes);
    const text = (await answer).toString();
    upstream.destroy();
    return text;
  }

  /** Breaks all connections; held replies are lost. New ones work, unless they are refused. */
  cut({ refuse = false } = {}): void {
    this.#holdsReplies = false;
    this.#silenced = undefined;
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
    this.#withheld?.upstream.destroy();
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
      if (this.#late !== undefined && bytes.includes(this.#late.text)) {
        this.#refuses = this.#late.refuse;
        this.#late = undefined;
        this.#withheld = { bytes, upstream };
        this.#pairs.delete(pair);
        client.removeAllListeners("close").destroy();
        return;
      }
      if (this.#silenced !== undefined && bytes.includes(this.#silenced)) this.holdReplies();
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
