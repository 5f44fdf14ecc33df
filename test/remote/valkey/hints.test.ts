// What is said of servers that are there and differ from what was expected of them.

import { openKv } from "anykv";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { describeWith, lackOf, type Server, startServer, until } from "../servers.js";

const lack = lackOf("valkey");

afterEach(() => vi.restoreAllMocks());

describeWith("a server", lack, () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ kind: "valkey" });
  });
  afterAll(() => server?.stop());

  test("that hangs after it has worked: no word of TLS", async () => {
    await using kv = openKv({
      backend: "valkey",
      name: "hangs",
      valkey: { port: server.port, commandTimeout: 300 },
    });
    await kv.set("key", 1);
    process.kill(server.pid, "SIGSTOP");
    try {
      for (let attempt = 0; attempt < 3; attempt++) {
        await expect(kv.get("key")).rejects.toMatchObject({
          name: "ServerConnectionError",
          hint: expect.not.stringMatching(/TLS|tls/),
        });
      }
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
  });

  test("without a password that is given one: a warning, nothing on the console", async () => {
    await expectOneWarning({ port: server.port, password: "needless" });
  });
});

async function expectOneWarning(address: object): Promise<void> {
  const said = vi.spyOn(console, "warn");
  const warning = vi.spyOn(process, "emitWarning");
  for (const name of ["one", "two"]) {
    await using kv = openKv({ backend: "valkey", name, valkey: address });
    await kv.set("key", 1);
  }
  expect(said).not.toHaveBeenCalled();
  expect(warning).toHaveBeenCalledExactlyOnceWith(
    expect.stringContaining("demands no password"),
    expect.objectContaining({ code: "ANYKV_NEEDLESS_PASSWORD" }),
  );
}

async function clusterOfOne(...args: readonly string[]): Promise<Server> {
  const server = await startServer({ kind: "valkey", args: ["--cluster-enabled", "yes", ...args] });
  await server.cli("cluster", "addslotsrange", "0", "16383");
  await until(async () => /cluster_state:ok/.test(await server.cli("cluster", "info")));
  return server;
}

describeWith("a cluster of one node", lack, () => {
  test("that tells no address: what to set", async () => {
    const server = await clusterOfOne();
    try {
      await using kv = openKv({
        backend: "valkey",
        valkey: { port: server.port, cluster: true },
      });
      await expect(kv.get("key")).rejects.toMatchObject({
        name: "ServerConnectionError",
        hint: expect.stringContaining("`cluster-announce-ip`"),
      });
    } finally {
      await server.stop();
    }
  });

  test("without a password that is given one: a warning, nothing on the console", async () => {
    const server = await clusterOfOne("--cluster-announce-ip", "127.0.0.1");
    try {
      await expectOneWarning({ port: server.port, cluster: true, password: "needless" });
    } finally {
      await server.stop();
    }
  });
});
