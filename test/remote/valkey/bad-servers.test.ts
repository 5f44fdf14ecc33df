// What a store meets that is configured badly: a typed error that says where and what to do, within
// the time that opening may take.

import { createServer, type Server as NetServer } from "node:net";
import { networkInterfaces } from "node:os";
import { isKvError } from "anykv";
import { expect, test } from "vitest";
import { nodeEnv } from "../../../src/env/env.js";
import { type ValkeyOptions, valkeySettings } from "../../../src/kv/options/valkey-options.js";
import { neededCommands } from "../../../src/remote/needed-rights.js";
import { openValkey } from "../../../src/remote/valkey/open-valkey.js";
import type { ValkeyConnection } from "../../../src/remote/valkey/valkey-connection.js";
import { lackOfOpenssl, makeCertificates } from "../certificates.js";
import { describeWith, freePort, lackOf, startServer } from "../servers.js";

/** What the test has started, in the reverse order of its ending. */
class Ends {
  readonly #ends: (() => unknown)[] = [];
  add<Thing>(thing: Thing, end: (thing: Thing) => unknown): Thing {
    this.#ends.push(() => end(thing));
    return thing;
  }
  async run(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }
}

type Step = (ends: Ends) => Promise<ValkeyOptions>;

interface Case {
  readonly title: string;
  readonly options: Step;
  /** Of the error: its class, and what its message and its hint say. */
  readonly expected: readonly [name: string, message: RegExp, hint: RegExp];
}

async function server(ends: Ends, ...args: string[]) {
  return ends.add(await startServer({ kind: "valkey", args }), (running) => running.stop());
}

async function tlsServer(ends: Ends, ...args: string[]) {
  const certificates = ends.add(makeCertificates(), (made) => made.remove());
  const port = await freePort();
  // The option `port` belongs to the listener without TLS, which there is none of.
  const off = ["--port", "0", "--tls-port", `${port}`];
  await server(ends, ...off, ...certificates.serverArgs, ...args);
  return { certificates, port };
}

/** A server that is none of Valkey. */
async function listener(ends: Ends, answer: (text: string) => string | undefined): Promise<number> {
  const net: NetServer = createServer((socket) => {
    ends.add(socket, () => socket.destroy());
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const reply = answer(bytes.toString("latin1"));
      if (reply !== undefined) socket.write(reply);
    });
  });
  await new Promise<void>((resolve) => net.listen(0, "127.0.0.1", resolve));
  ends.add(net, () => new Promise((resolve) => net.close(resolve)));
  return (net.address() as { port: number }).port;
}

const secret = "correct horse battery";
const users = ["--requirepass", secret];

const cases: readonly Case[] = [
  {
    title: "a host that does not exist",
    options: async () => ({ host: "no-such-host.invalid" }),
    expected: [
      "ServerConnectionError",
      /no-such-host.invalid:6379: .*(no such host|resolved)/,
      /host/,
    ],
  },
  {
    title: "a port where nobody listens",
    options: async () => ({ port: await freePort() }),
    expected: ["ServerConnectionError", /127\.0\.0\.1:\d+: nobody listens/, /host and port/],
  },
  {
    title: "a name with two addresses where nobody listens",
    options: async () => ({ host: "localhost", port: await freePort() }),
    expected: ["ServerConnectionError", /localhost:\d+: nobody listens/, /host and port/],
  },
  {
    title: "a socket that does not exist",
    options: async () => ({ path: "/nonexistent/valkey.sock" }),
    expected: ["ServerConnectionError", /valkey\.sock: there is no such socket/, /path/],
  },
  {
    title: "a server that never answers",
    options: async (ends) => ({ port: await listener(ends, () => undefined), connectTimeout: 300 }),
    expected: ["ServerConnectionError", /no answer within 300 ms/, /TLS/],
  },
  {
    title: "a server of something else",
    options: async (ends) => ({
      port: await listener(ends, () => "HTTP/1.1 400 Bad Request\r\n\r\n"),
    }),
    expected: ["ServerConnectionError", /another protocol/, /TLS/],
  },
  {
    title: "a server that is too old for HELLO",
    options: async (ends) => ({
      port: await listener(ends, (request) => answers(request, "-ERR unknown command `HELLO`\r\n")),
    }),
    expected: ["ServerUnsuitableError", /too old/, /7\.0/],
  },
  {
    title: "a server of version 6",
    options: async (ends) => ({ port: await listener(ends, helloOfVersion6) }),
    expected: ["ServerUnsuitableError", /redis 6\.2\.14: too old/, /7\.0/],
  },
  {
    title: "a node of a cluster that has no slots yet",
    options: async (ends) => ({
      url: (await server(ends, "--cluster-enabled", "yes")).url,
      cluster: true,
    }),
    expected: ["ServerConnectionError", /no node of the cluster tells/, /CLUSTER INFO/],
  },
  {
    title: "no password",
    options: async (ends) => ({ url: (await server(ends, ...users)).url }),
    expected: ["ServerAccessError", /demands a password/, /valkey\.password/],
  },
  {
    title: "a wrong password",
    options: async (ends) => ({
      port: (await server(ends, ...users)).port,
      password: "wrong secret",
    }),
    expected: ["ServerAccessError", /refuses this user or password/, /valkey\.password/],
  },
  {
    title: "a wrong password in the URL",
    options: async (ends) => ({
      url: `redis://default:wrong%20secret@127.0.0.1:${(await server(ends, ...users)).port}`,
    }),
    expected: ["ServerAccessError", /refuses this user or password/, /valkey\.password/],
  },
  {
    title: "a user that does not exist",
    options: async (ends) => ({
      port: (await server(ends, ...users)).port,
      username: "nobody",
      password: secret,
    }),
    expected: ["ServerAccessError", /refuses this user or password/, /valkey\.username/],
  },
  {
    title: "a user who may not call functions or scripts",
    options: async (ends) => {
      const running = await server(ends);
      const rights = ["+hello", "+ping", "+client", "~*"];
      await running.cli("acl", "setuser", "reader", "on", `>secret`, ...rights);
      return { port: running.port, username: "reader", password: "secret" };
    },
    expected: ["ServerAccessError", /does not let this user/, /\+fcall/],
  },
  {
    title: "a database that does not exist",
    options: async (ends) => ({ port: (await server(ends)).port, database: 99 }),
    expected: ["ServerAccessError", /does not have this database/, /valkey\.database/],
  },
  {
    title: "TLS where none is spoken",
    options: async (ends) => ({
      port: (await server(ends)).port,
      tls: true,
      connectTimeout: 1_000,
    }),
    expected: [
      "ServerConnectionError",
      /TCP connection stands, but no TLS connection/,
      /leave out `tls`/,
    ],
  },
  {
    title: "no TLS where it is spoken",
    options: async (ends) => ({ port: (await tlsServer(ends)).port }),
    expected: ["ServerConnectionError", /hung up|another protocol/, /tls: true/],
  },
  {
    title: "a certificate of an unknown authority",
    options: async (ends) => ({ port: (await tlsServer(ends)).port, tls: true }),
    expected: ["ServerConnectionError", /certificate is not trusted/, /tls\.ca/],
  },
  {
    title: "a certificate for another name",
    options: async (ends) => {
      const { port, certificates } = await tlsServer(ends);
      return { port, tls: { ca: certificates.ca, servername: "other.example" } };
    },
    expected: ["ServerConnectionError", /certificate is for another name/, /servername/],
  },
  {
    title: "no certificate of the client where one is demanded",
    options: async (ends) => {
      const { port, certificates } = await tlsServer(ends);
      return { port, tls: { ca: certificates.ca } };
    },
    // What the server says of it may be lost in the hanging up.
    expected: [
      "ServerConnectionError",
      /certificate of the client|hung up on the TLS/,
      /tls\.cert/,
    ],
  },
  {
    title: "a cluster where there is a single server",
    options: async (ends) => ({ port: (await server(ends)).port, cluster: true }),
    expected: ["ServerUnsuitableError", /no part of a cluster/, /without `cluster`/],
  },
  {
    title: "a single server where there is a cluster",
    options: async (ends) => ({ port: (await server(ends, "--cluster-enabled", "yes")).port }),
    expected: ["ServerUnsuitableError", /is part of a cluster/, /cluster: true/],
  },
  {
    title: "nodes of a cluster of which none answers",
    options: async () => ({ cluster: [`127.0.0.1:${await freePort()}`] }),
    expected: ["ServerConnectionError", /nobody listens/, /host and port/],
  },
  {
    title: "a replica",
    options: async (ends) => {
      const primary = await server(ends);
      return { port: (await server(ends, "--replicaof", "127.0.0.1", `${primary.port}`)).port };
    },
    expected: ["ServerUnsuitableError", /read-only replica/, /primary/],
  },
  {
    title: "a server without memory for the library",
    options: async (ends) => ({ port: (await server(ends, "--maxmemory", "1")).port }),
    expected: ["ServerRefusedError", /out of memory/, /maxmemory/],
  },
  {
    title: "a server that takes no more clients",
    options: async (ends) => {
      const running = await server(ends, "--maxclients", "1");
      const holder = await openValkey({
        env: nodeEnv,
        settings: valkeySettings({ url: running.url }),
        storeName: "holder",
      });
      ends.add(holder, () => holder.close());
      return { port: running.port };
    },
    expected: ["ServerConnectionError", /as many clients/, /maxclients/],
  },
  {
    title: "a server that is loading its data",
    options: async (ends) => ({ port: await loadingServer(ends), connectTimeout: 2_000 }),
    expected: ["ServerRefusedError", /loading its data/, /connectTimeout/],
  },
];

const version6 = ["server", "redis", "version", "6.2.14", "mode", "standalone", "role", "master"];

/** Answers each command of a request, HELLO in its own way. */
function answers(request: string, toHello: string): string {
  const names = request.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g);
  return [...names].map(([, name]) => (/hello/i.test(name ?? "") ? toHello : "+OK\r\n")).join("");
}

function helloOfVersion6(request: string): string {
  const words = version6.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
  return answers(request, `*${version6.length}\r\n${words}`);
}

/** A server that has thousands of keys to load, and takes its time for each. */
async function loadingServer(ends: Ends): Promise<number> {
  const filled = await startServer({ kind: "valkey" });
  const fill = "for i = 1, 4000 do redis.call('SET', 'key' .. i, 'value') end return 1";
  await filled.cli("eval", fill, "0");
  await filled.cli("save");
  await filled.stop({ keep: true });
  const slow = ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"];
  const loading = await startServer({
    kind: "valkey",
    directory: filled.directory,
    args: slow,
    readyWhen: /Server initialized|Loading RDB/,
  });
  ends.add(loading, () => loading.stop());
  return loading.port;
}

async function failureOf(options: ValkeyOptions): Promise<unknown> {
  const settings = valkeySettings({ connectTimeout: 3_000, ...options });
  try {
    const connection = await openValkey({ env: nodeEnv, settings, storeName: "bad" });
    await connection.close();
    return "it has opened";
  } catch (error) {
    return error;
  }
}

describeWith("opening meets", lackOf("valkey") ?? lackOfOpenssl(), () => {
  test.each(cases)("$title", async ({ options, expected: [name, message, hint] }) => {
    const ends = new Ends();
    try {
      const given = await options(ends);
      const error = await failureOf(given);
      expect(error).toMatchObject({
        name,
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      });
      expect(isKvError(error)).toBe(true);
      expectNoSecret(error);
    } finally {
      await ends.run();
    }
  });

  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  test.skipIf(outside === undefined)("protected mode", async () => {
    const ends = new Ends();
    try {
      const running = await server(ends, "--bind", "0.0.0.0", "--protected-mode", "yes");
      const error = await failureOf({ host: outside, port: running.port });
      expect(error).toMatchObject({
        name: "ServerAccessError",
        hint: expect.stringMatching(/password/),
      });
    } finally {
      await ends.run();
    }
  });
});

function expectNoSecret(error: unknown): void {
  for (let at = error; at instanceof Error; at = at.cause as Error) {
    const everything = `${at.message} ${at.stack} ${JSON.stringify(at)} ${JSON.stringify(Object.entries(at))}`;
    expect(everything).not.toMatch(/wrong secret|wrong%20secret|correct horse/);
  }
}

describeWith("opening manages", lackOf("valkey") ?? lackOfOpenssl(), () => {
  async function opened(ends: Ends, options: ValkeyOptions): Promise<ValkeyConnection> {
    const settings = valkeySettings({ connectTimeout: 5_000, ...options });
    const connection = await openValkey({ env: nodeEnv, settings, storeName: "good" });
    await connection.call({ operation: "open", partition: 0, args: [1, 1, 0], isRead: true });
    return ends.add(connection, () => connection.close());
  }

  const good: readonly (readonly [string, Step])[] = [
    [
      "TLS with certificates on both sides",
      async (ends) => {
        const { port, certificates } = await tlsServer(ends);
        const { ca, cert, key } = certificates;
        return { url: `valkeys://127.0.0.1:${port}`, tls: { ca, cert, key } };
      },
    ],
    [
      "TLS where the certificate names another host, which is said",
      async (ends) => {
        const { port, certificates } = await tlsServer(ends, "--tls-auth-clients", "no");
        return { port, tls: { ca: certificates.ca, servername: "db.example" } };
      },
    ],
    [
      "a socket of the file system",
      async (ends) => {
        const running = await server(ends, "--unixsocket", "socket");
        return { url: `unix://${running.directory}/socket?database=3` };
      },
    ],
    [
      "a password, and a database of its own",
      async (ends) => {
        const running = await server(ends, ...users);
        return { url: running.url, password: secret, database: 5 };
      },
    ],
    [
      "a user who may not use functions, by scripts",
      async (ends) => {
        const running = await server(ends);
        const rights = ["+@all", "-fcall", "-function", "-fcall_ro", "~anykv:*"];
        await running.cli("acl", "setuser", "worker", "on", ">secret", ...rights);
        return { port: running.port, username: "worker", password: "secret" };
      },
    ],
    [
      "a user who may do nothing that is not needed",
      async (ends) => {
        const running = await server(ends);
        const rights = [...neededCommands.split(" "), "~anykv:*"];
        await running.cli("acl", "setuser", "worker", "on", ">secret", ...rights);
        return { port: running.port, username: "worker", password: "secret" };
      },
    ],
    [
      "a server that has its data loaded in time",
      async (ends) => ({ port: await loadingServer(ends), connectTimeout: "60s" }),
    ],
  ];

  test.each(good)("%s", async (_title, options) => {
    const ends = new Ends();
    try {
      const connection = await opened(ends, await options(ends));
      await expect(
        connection.call({ operation: "set", partition: 0, args: ["key", "j1"], isRead: false }),
      ).resolves.toBe(1);
    } finally {
      await ends.run();
    }
  });
});
