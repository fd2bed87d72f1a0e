import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { Writer } from "@siphon/wire";
import { keyUsage } from "../../src/auth/crypto-key.ts";
import { parseCryptoKey } from "../../src/auth/read-key.ts";
import { Cluster, type RadosError } from "../../src/index.ts";
import { FakeDaemon, type FakeDaemonOptions } from "../support/fake-daemon.ts";

const keyText = aesKey(1);
const base = { conf: "/dev/null", name: "client.admin", env: {} };

/** How connecting to monitors at these addresses fails. */
async function failure(
  monHost: string,
  settings: Record<string, string>,
  connectTimeout = 10_000,
): Promise<RadosError> {
  try {
    const cluster = await Cluster.connect({
      ...base,
      settings: { mon_host: monHost, ...settings },
      connectTimeout,
    });
    cluster.close();
  } catch (error) {
    return error as RadosError;
  }
  assert.fail("it connected");
}

async function failureAtFake(options: FakeDaemonOptions): Promise<RadosError> {
  await using mon = await FakeDaemon.listen(options);
  return await failure(`v2:127.0.0.1:${mon.addr.port}`, { key: keyText });
}

test("a monitor that lets us in without asking for the key is not trusted", async () => {
  const error = await failureAtFake({});
  assert.equal(error.code, "SIPHON_RADOS_UNTRUSTED");
  assert.match(error.message, /accepted this client without checking its key/);
});

test("a monitor that does not hold our key cannot prove itself", async () => {
  const sealed = parseCryptoKey(aesKey(9), "someone else").encrypt(
    Buffer.alloc(40),
    keyUsage.ticketSessionKey,
  );
  const tickets = new Writer()
    .u16(0x100)
    .u32(0)
    .u8(1)
    .u32(1)
    .u32(0x20)
    .u8(1)
    .blob(sealed)
    .u8(0)
    .blob(Buffer.alloc(13));
  const challenge = new Writer().u8(1).u64(123n).finish();
  const error = await failureAtFake({ challenge, proof: tickets.finish() });
  assert.equal(error.code, "SIPHON_RADOS_UNTRUSTED");
  assert.match(error.message, /could not prove that it belongs to this cluster/);
});

test("a monitor that wants another way of authentication says so in words", async () => {
  const refusal = { result: -95, methods: [1], modes: [1] };
  const error = await failureAtFake({ refusal });
  assert.equal(error.code, "SIPHON_RADOS_AUTH");
  assert.match(error.message, /requires auth method none, not cephx/);
  assert.match(error.hint!, /auth_client_required = none/);
});

test("no monitor reachable: one error after the timeout, with the addresses tried", async () => {
  const error = await failure("v2:127.0.0.1:1, v1:127.0.0.1:2, 127.0.0.1:3", { key: keyText }, 1_000);
  assert.equal(error.code, "SIPHON_RADOS_UNREACHABLE");
  assert.equal(error.retryable, true);
  assert.match(error.message, /no monitor could be reached within 1 s/);
  assert.match(
    error.message,
    /v2:127\.0\.0\.1:1\/0, v1:127\.0\.0\.1:2\/0, v2:127\.0\.0\.1:3\/0, v1:127\.0\.0\.1:3\/0/,
  );
  assert.match(error.message, /connection refused/);
});

for (const [what, greeting, said] of [
  ["talks HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", /the peer is not a Ceph daemon/],
  [
    "sends garbage after a good banner",
    `ceph v2\n\x10\0\x01${"\0".repeat(15)}${"garbage ".repeat(20)}`,
    /wrong checksum/,
  ],
] as const) {
  test(`a monitor that ${what}: one clear sentence, at once`, async () => {
    const server = await listen((socket) => socket.end(Buffer.from(greeting, "latin1")));
    const { port } = server.address() as { port: number };
    const error = await failure(`v2:127.0.0.1:${port}`, { key: keyText });
    server.close();
    assert.equal(error.code, "SIPHON_RADOS_PROTOCOL");
    assert.match(error.message, said);
  });
}

test("a monitor that hangs up at once is not stormed", async () => {
  let dialled = 0;
  const server = await listen((socket) => {
    dialled++;
    socket.end();
  });
  const { port } = server.address() as { port: number };
  const error = await failure(`v2:127.0.0.1:${port}`, { key: keyText }, 2_000);
  server.close();
  assert.equal(error.code, "SIPHON_RADOS_UNREACHABLE");
  assert.match(error.message, /closed by the peer/);
  assert.ok(dialled <= 6, `${dialled} connections in two seconds`);
});

test("a monitor that hangs up right after each handshake is not stormed", async () => {
  let sessions = 0;
  await using mon = await FakeDaemon.listen({
    opened(peer) {
      sessions++;
      peer.socket.destroy();
    },
  });
  const open = { auth_client_required: "none" };
  const error = await failure(`v2:127.0.0.1:${mon.addr.port}`, open, 2_000);
  assert.equal(error.code, "SIPHON_RADOS_UNREACHABLE");
  assert.ok(sessions <= 6, `${sessions} sessions in two seconds`);
});

test("giving up is possible at any time, and leaves nothing open", async () => {
  const server = await listen((socket) => socket.resume());
  const { port } = server.address() as { port: number };
  const settings = { mon_host: `v2:127.0.0.1:${port}`, key: keyText };
  const abort = new AbortController();
  const attempt = Cluster.connect({ ...base, settings, signal: abort.signal });
  setTimeout(() => abort.abort(new Error("changed my mind")), 100);
  await assert.rejects(attempt, /changed my mind/);
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

for (const [settings, code, message] of [
  [{ mon_host: "v2:127.0.0.1:1" }, "SIPHON_RADOS_CONFIG", /no keyring has a key for client\.admin/],
  [{ key: keyText }, "SIPHON_RADOS_CONFIG", /no monitor is configured/],
  [
    { key: "AQ==", mon_host: "v2:127.0.0.1:1" },
    "SIPHON_RADOS_CONFIG",
    /the key of client\.admin is not a Ceph key/,
  ],
  [
    { key: keyText, mon_host: "v1:127.0.0.1:1", ms_mon_client_mode: "secure" },
    "SIPHON_RADOS_MODE",
    /secure mode is required, but only v1 addresses/,
  ],
  [
    { auth_client_required: "none", mon_host: "v2:127.0.0.1:1", ms_client_mode: "secure" },
    "SIPHON_RADOS_MODE",
    /ms_client_mode requires secure mode, which needs cephx/,
  ],
  [
    { key: keyText, mon_host: "127.0.0.1", ms_client_mode: "plain" },
    "SIPHON_RADOS_CONFIG",
    /is not crc, secure/,
  ],
] as const) {
  test(`a configuration that cannot work fails before anything is dialled: ${message.source}`, async () => {
    const attempt = Cluster.connect({ ...base, settings: { keyring: "/nonexistent", ...settings } });
    await assert.rejects(attempt, { code, message });
  });
}

async function listen(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** CryptoKey of type aes: u16 type, utime, u16 length, 16 bytes. */
function aesKey(byte: number): string {
  const key = new Writer().u16(1).u64(0).u16(16).raw(Buffer.alloc(16, byte));
  return key.finish().toString("base64");
}
