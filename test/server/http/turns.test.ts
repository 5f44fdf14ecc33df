// Requests of one connection that come together: their answers in memory, waits among them, and what
// becomes of them when the door closes.

import { connect } from "node:net";
import { expect, test } from "vitest";
import { getHead, levels, openDoor, post, postText, RawClient, until } from "./doors.js";

const megabyte = "x".repeat(1_000_000);

test("large answers are made one after the other, as they are taken", async () => {
  const { door, kv } = await openDoor();
  await kv.set("large", megabyte.repeat(8));
  let calls = 0;
  const get = kv.get.bind(kv);
  kv.get = (...given: Parameters<typeof get>) => {
    calls++;
    return get(...given);
  };
  const raw = new RawClient(door);
  raw.socket.pause();
  raw.send(postText("get", '{"key":"large"}').repeat(30));
  await until(async () => (await levels(door.address.url)).requests > 1);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toBe(1);
  raw.socket.resume();
  await until(async () => calls === 30);
});

test("a wait behind a large answer takes its element when its turn comes, and not before", async () => {
  const { door, kv } = await openDoor();
  await kv.set("large", megabyte.repeat(8));
  await kv.append("jobs", "job-1");
  const raw = new RawClient(door);
  raw.socket.pause();
  raw.send(postText("get", '{"key":"large"}'));
  await until(async () => (await levels(door.address.url)).requests === 2);
  raw.send(postText("pop_first_wait", '{"key":"jobs"}'));
  await until(async () => (await levels(door.address.url)).requests === 3);
  expect(await kv.length("jobs")).toBe(1);
  raw.socket.resume();
  await raw.until(/"job-1"/);
  expect(await kv.length("jobs")).toBe(0);
});

test("a wait that has got its element is over, however long the answer takes", async () => {
  const { door, kv, client } = await openDoor();
  const raw = new RawClient(door).send(postText("pop_first_wait", '{"key":"jobs"}'));
  await until(async () => (await levels(door.address.url)).requests === 2);
  raw.socket.pause();
  await kv.append("jobs", megabyte.repeat(12));
  raw.send(getHead("/healthz"));
  await post(client, "size");
  raw.socket.resume();
  await raw.until(/"status":"ok"/);
  expect(raw.text.length).toBeGreaterThan(12_000_000);
});

test("who leaves behind a wait is noticed, also in the middle of a body that nobody reads", async () => {
  const { door, kv } = await openDoor();
  const raw = new RawClient(door).send(postText("pop_first_wait", '{"key":"jobs"}'));
  await until(async () => (await levels(door.address.url)).requests === 2);
  const head = "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n";
  raw.send(head + megabyte);
  await new Promise<void>((resolve) => raw.socket.write(megabyte, () => resolve()));
  raw.socket.destroy();
  await until(async () => (await levels(door.address.url)).requests === 1);
  await kv.append("jobs", 1);
  expect(await kv.length("jobs")).toBe(1);
});

test("who ends in the middle of a request takes nothing with a wait before it", async () => {
  const { door, kv } = await openDoor();
  await kv.set("large", megabyte.repeat(8));
  const raw = new RawClient(door);
  raw.socket.pause();
  const wait = postText("pop_first_wait", '{"key":"jobs"}');
  raw.send(postText("get", '{"key":"large"}') + wait + postText("get", '{"key":"a"').slice(0, -1));
  raw.socket.end();
  await until(async () => (await levels(door.address.url)).requests > 1);
  raw.socket.resume();
  await raw.closed;
  expect(raw.text.length).toBeGreaterThan(8_000_000);
  await kv.append("jobs", 1);
  expect(await kv.length("jobs")).toBe(1);
});

test("the door closes when what it has answered is taken, and not before", async () => {
  const { door, kv } = await openDoor();
  await kv.set("large", megabyte.repeat(30));
  const raw = new RawClient(door);
  raw.socket.pause();
  raw.send(postText("fetch_remove", '{"key":"large"}'));
  await until(async () => !(await kv.exists("large")));
  const other = new RawClient(door).send(postText("size", "{}"));
  await other.until(/"result":0/);
  const closing = door.close();
  await other.closed;
  raw.socket.resume();
  await Promise.all([closing, raw.closed]);
  expect(raw.text.length).toBeGreaterThan(30_000_000);
});

test("a connection that has sent nothing is not waited for", async () => {
  const { door, client } = await openDoor({ closeTimeout: "1h" });
  const silent = connect(door.address.port, door.address.host);
  await new Promise<void>((resolve) => silent.once("connect", () => resolve()));
  await post(client, "size");
  await Promise.all([door.close(), new Promise((resolve) => silent.once("close", resolve))]);
});

test("garbage behind a request does not stand in for its answer", async () => {
  const { door, kv } = await openDoor();
  const raw = new RawClient(door).send(
    `${postText("set", '{"key":"a","value":1}')}garbage\r\n\r\n`,
  );
  await raw.closed;
  expect(raw.text).toMatch(/^HTTP\/1\.1 200 /);
  expect(await kv.get("a")).toBe(1);
});

test("what is unreadable on a connection that has been used is told, too", async () => {
  const { door } = await openDoor();
  const raw = new RawClient(door).send(postText("size", "{}"));
  await raw.until(/"result":0/);
  raw.send(getHead("/healthz", `X-Long: ${"x".repeat(20_000)}`));
  await raw.until(/HTTP\/1\.1 431 /);
  await raw.closed;
});
