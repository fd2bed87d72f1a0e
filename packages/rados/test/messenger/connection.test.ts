import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { inspect } from "node:util";
import type { EntityAddr } from "@siphon/wire";
import type { RadosError } from "../../src/errors.ts";
import type { ConnectionMode } from "../../src/messenger/auth.ts";
import { openTcp } from "../../src/messenger/transport.ts";
import { keyOf } from "../support/cephx-bytes.ts";
import { connectTo, messengerFor } from "../support/connect.ts";
import { FakeDaemon, type FakeDaemonOptions, OpenAuth } from "../support/fake-daemon.ts";
import { corruptAt, cutAfter } from "../support/transports.ts";

const secrets = { sessionKey: keyOf(Buffer.alloc(16, 7)), connectionSecret: Buffer.alloc(64, 8) };
const noSecrets = { sessionKey: undefined, connectionSecret: undefined };

function osd(addr: EntityAddr) {
  return { type: "osd", name: "osd.0", addr } as const;
}

for (const mode of ["crc", "secure"] as const) {
  for (const revision of [1, 0] as const) {
    test(`msgr2.${revision}, ${mode}: messages of all sizes go and come, in order and unchanged`, async () => {
      const used = mode === "secure" ? secrets : noSecrets;
      await using daemon = await FakeDaemon.listen({
        ...{ type: "osd", mode, revision, secrets: used },
        message: (peer, { tid, front, data }) => peer.send(43, tid, front, data),
      });
      const messenger = messengerFor([mode]);
      const sizes = [0, 1, 15, 16, 17, 4096, 100_000, 130_000, 131_073, 700_000, 3_000_000, 5];
      const seen: number[] = [];
      const done = Promise.withResolvers<void>();
      const connection = await connectTo(messenger, osd(daemon.addr), new OpenAuth(used), (_, message) => {
        const { tid, data, dataLength, region } = message;
        const size = sizes[tid - 1]!;
        assert.equal(message.type, 43);
        assert.equal(message.frontLength, 10 + tid);
        assert.equal(dataLength, size);
        assert.ok(region.bytes.subarray(data, data + dataLength).equals(Buffer.alloc(size, tid)));
        seen.push(tid);
        if (seen.length === sizes.length) done.resolve();
      });
      for (const [i, size] of sizes.entries()) {
        const front = Buffer.alloc(11 + i, 1);
        connection.send({ type: 42, tid: i + 1, front, data: Buffer.alloc(size, i + 1) });
      }
      await done.promise;
      assert.deepEqual(
        seen,
        sizes.map((_, i) => i + 1),
      );
      messenger.close();
    });
  }
}

test("data sent without a copy keeps its place between the encoded parts", async () => {
  await using daemon = await FakeDaemon.listen({
    ...{ type: "osd", mode: "crc", revision: 1, secrets: noSecrets },
    message: (peer, { tid, front, data }) => peer.send(43, tid, front, data),
  });
  const messenger = messengerFor(["crc"]);
  const sizes = [10, 300_000, 100, 5_000_000, 131_072, 1, 200_000, 7];
  const seen: number[] = [];
  const done = Promise.withResolvers<void>();
  const connection = await connectTo(messenger, osd(daemon.addr), new OpenAuth(noSecrets), (_, message) => {
    const { tid, data, dataLength, region } = message;
    assert.ok(region.bytes.subarray(data, data + dataLength).equals(Buffer.alloc(sizes[tid]!, tid)));
    if (seen.push(tid) === sizes.length) done.resolve();
  });
  assert.equal(connection.gathers, true);
  for (const [tid, size] of sizes.entries()) {
    const data = Buffer.alloc(size, tid);
    if (size < 100_000) {
      connection.send({ type: 42, tid, front: Buffer.alloc(5), data });
    } else {
      connection.begin(5, 0, size, data);
      connection.commit(42, 1, 1, 127, tid);
    }
  }
  await done.promise;
  assert.deepEqual(seen, [...sizes.keys()]);
  messenger.close();
});

for (const mode of ["crc", "secure"] as const) {
  const used = mode === "secure" ? secrets : noSecrets;
  const echo = {
    type: "osd",
    mode,
    secrets: used,
    message: (peer, { tid, front, data }) => peer.send(43, tid, front, data),
  } satisfies FakeDaemonOptions;

  test(`${mode}: the data of large messages goes where its owner wants it, as it comes`, async () => {
    await using daemon = await FakeDaemon.listen(echo);
    const messenger = messengerFor([mode]);
    const sizes = [200_000, 131_072, 50, 4_194_304, 200_001, 300_007];
    const sunk = new Map<number, Buffer[]>();
    const done = Promise.withResolvers<void>();
    const connection = await connectTo(
      messenger,
      osd(daemon.addr),
      new OpenAuth(used),
      (_, message) => {
        const size = sizes[message.tid - 1]!;
        const { region, front, frontLength, data, dataLength } = message;
        assert.ok(region.bytes.subarray(front, front + frontLength).equals(Buffer.alloc(77, message.tid)));
        assert.equal(dataLength, size);
        // The third is small, the fifth is not wanted in portions, the fourth is larger than any read.
        if (message.tid === 3 || message.tid === 5) assert.equal(message.streamed, false);
        if (message.tid === 4) assert.equal(message.streamed, true);
        const whole = region.bytes.subarray(data, data + dataLength);
        const got = message.streamed ? Buffer.concat(sunk.get(message.tid)!) : whole;
        assert.ok(got.equals(Buffer.alloc(size, message.tid)));
        if (message.tid === sizes.length) done.resolve();
      },
      done.reject,
      (_, { tid }) => {
        if (tid === 5) return undefined;
        const parts: Buffer[] = [];
        sunk.set(tid, parts);
        return (bytes, start, end) => parts.push(Buffer.from(bytes.subarray(start, end)));
      },
    );
    for (const [i, size] of sizes.entries()) {
      connection.send({
        type: 42,
        tid: i + 1,
        front: Buffer.alloc(77, i + 1),
        data: Buffer.alloc(size, i + 1),
      });
    }
    await done.promise;
    messenger.close();
  });

  test(`${mode}: large data changed on the way is never said to be complete`, async () => {
    await using daemon = await FakeDaemon.listen(echo);
    for (const position of [500_000, 1_000_500]) {
      const messenger = messengerFor([mode], { openTransport: corruptAt(position) });
      const lost = Promise.withResolvers<RadosError>();
      const connection = await connectTo(
        messenger,
        osd(daemon.addr),
        new OpenAuth(used),
        () => lost.reject(new Error("it was delivered")),
        lost.resolve,
        () => () => {},
      );
      connection.send({ type: 42, tid: 1, front: Buffer.alloc(77), data: Buffer.alloc(1_000_000) });
      assert.equal((await lost.promise).code, "SIPHON_RADOS_PROTOCOL");
    }
  });
}

/** Fails to connect, and says how. */
async function failure(
  options: FakeDaemonOptions,
  modes: readonly ConnectionMode[] = ["crc"],
  used: typeof secrets | typeof noSecrets = noSecrets,
): Promise<RadosError> {
  await using daemon = await FakeDaemon.listen({ type: "osd", ...options });
  const messenger = messengerFor(modes, { connectTimeout: 5_000 });
  try {
    await connectTo(messenger, osd(daemon.addr), new OpenAuth(used));
  } catch (error) {
    return error as RadosError;
  } finally {
    messenger.close();
  }
  assert.fail("it connected");
}

test("where secure mode is demanded, a daemon that chooses crc is left", async () => {
  const error = await failure({ mode: "crc", secrets }, ["secure"], secrets);
  assert.equal(error.code, "SIPHON_RADOS_MODE");
  assert.match(error.message, /osd\.0 at v2:127\.0\.0\.1:\d+\/0 failed: .*this client allows only secure/);
});

test("where secure mode is demanded, a daemon that refuses it is left", async () => {
  const refusal = { result: -95, methods: [2], modes: [1] };
  const error = await failure({ refusal }, ["secure"], secrets);
  assert.equal(error.code, "SIPHON_RADOS_MODE");
  assert.match(error.message, /does not offer secure mode/);
});

test("secure mode without keys is refused", async () => {
  const error = await failure({ mode: "secure", secrets: noSecrets }, ["secure"], noSecrets);
  assert.equal(error.code, "SIPHON_RADOS_MODE");
});

test("a daemon whose signature is wrong is not trusted", async () => {
  const error = await failure({ forge: true, secrets }, ["crc"], secrets);
  assert.equal(error.code, "SIPHON_RADOS_UNTRUSTED");
  assert.equal(error.retryable, false);
});

test("another kind of daemon, or another run of it, is not the one we want", async () => {
  assert.match((await failure({ type: "mgr" })).message, /another kind of daemon/);
  const error = await failure({ nonce: 77 });
  assert.match(error.message, /another daemon answers at this address/);
  assert.equal(error.retryable, true);
});

test("a refused connection and a silent peer give different errors", async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as { port: number };
  const addr = { type: "msgr2", nonce: 0, family: 4, address: "127.0.0.1", port } as const;
  const messenger = messengerFor(["crc"], { connectTimeout: 300 });
  const timedOut = connectTo(messenger, osd(addr), new OpenAuth());
  await assert.rejects(timedOut, { code: "SIPHON_RADOS_TIMEOUT", retryable: true });
  silent.close();
  const refused = connectTo(messenger, osd({ ...addr, port: 1 }), new OpenAuth());
  await assert.rejects(refused, { code: "SIPHON_RADOS_CONNECTION", message: /connection refused/ });
});

for (const [greeting, said] of [
  ["HTTP/1.1 400 Bad Request\r\n\r\n", /the peer is not a Ceph daemon/],
  ["ceph v027\0\0\0\0", /speaks protocol v1/],
] as const) {
  test(`a server that greets with ${JSON.stringify(greeting.slice(0, 9))} gets one clear sentence`, async () => {
    const server = createServer((socket) => socket.end(greeting));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const messenger = messengerFor(["crc"]);
    const addr = { type: "msgr2", nonce: 0, family: 4, address: "127.0.0.1", port } as const;
    const attempt = connectTo(messenger, osd(addr), new OpenAuth());
    await assert.rejects(attempt, { code: "SIPHON_RADOS_PROTOCOL", message: said });
    server.close();
  });
}

test("a stream cut at any point ends the connection, and its owner is told once", async () => {
  await using daemon = await FakeDaemon.listen({
    ...{ type: "osd", mode: "secure", secrets },
    message: (peer, { tid, front, data }) => peer.send(43, tid, front, data),
  });
  for (const bytes of [1, 26, 100, 400, 700, 2_000, 20_000, 300_000]) {
    const messenger = messengerFor(["secure"], { openTransport: cutAfter(() => bytes) });
    const told: RadosError[] = [];
    const closed = Promise.withResolvers<void>();
    const attempt = connectTo(
      messenger,
      osd(daemon.addr),
      new OpenAuth(secrets),
      () => {},
      (error) => {
        told.push(error);
        closed.resolve();
      },
    );
    attempt.then(
      (connection) => connection.send({ type: 42, front: Buffer.alloc(9), data: Buffer.alloc(400_000) }),
      () => {},
    );
    await closed.promise;
    assert.deepEqual(
      told.map(({ code, retryable }) => [code, retryable]),
      [["SIPHON_RADOS_CONNECTION", true]],
    );
    assert.equal(messenger.connections.size, 0);
  }
});

test("compression is declined: a daemon that offers it is spoken to without, one that demands it is left", async () => {
  const compression = 2n;
  const compressionRequest = 21;
  const tags: number[] = [];
  const echoed = Promise.withResolvers<number>();
  await using daemon = await FakeDaemon.listen({
    ...{ type: "osd", offers: compression },
    control: (_, tag) => tags.push(tag),
    message: (peer, { tid, front, data }) => peer.send(43, tid, front, data),
  });
  const messenger = messengerFor(["crc"]);
  const connection = await connectTo(messenger, osd(daemon.addr), new OpenAuth(), (_, { dataLength }) =>
    echoed.resolve(dataLength),
  );
  connection.send({ type: 42, tid: 1, front: Buffer.alloc(9), data: Buffer.alloc(50_000) });
  assert.equal(await echoed.promise, 50_000);
  assert.ok(!tags.includes(compressionRequest));
  messenger.close();
  const error = await failure({ offers: compression, demands: compression });
  assert.equal(error.code, "SIPHON_RADOS_PROTOCOL");
  assert.match(error.message, /requires features of a newer msgr2 \(0x2\)/);
});

test("everything sent in one turn leaves in one write", async () => {
  await using daemon = await FakeDaemon.listen({ type: "osd" });
  let writes = 0;
  const messenger = messengerFor(["crc"], {
    openTransport(target, events) {
      const transport = openTcp(target, events);
      return {
        write(chunks, written) {
          writes++;
          transport.write(chunks, written);
        },
        destroy: () => transport.destroy(),
      };
    },
  });
  const connection = await connectTo(messenger, osd(daemon.addr), new OpenAuth());
  await new Promise((resolve) => setImmediate(resolve));
  writes = 0;
  for (let i = 0; i < 100; i++)
    connection.send({ type: 42, front: Buffer.alloc(200), data: Buffer.alloc(16384) });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(writes, 1);
  messenger.close();
});

test("a peer's keepalive is answered, and its answer to ours is noted", async () => {
  const answered = Promise.withResolvers<void>();
  await using daemon = await FakeDaemon.listen({
    type: "osd",
    opened: (peer) => peer.sendControl(18, Buffer.alloc(8, 5)),
    control: (peer, tag, payload) => {
      if (tag === 18) peer.sendControl(19, payload);
      if (tag === 19 && payload.equals(Buffer.alloc(8, 5))) answered.resolve();
    },
  });
  const messenger = messengerFor(["crc"]);
  const connection = await connectTo(messenger, osd(daemon.addr), new OpenAuth());
  await answered.promise;
  const before = connection.lastKeepaliveAck;
  connection.keepalive();
  while (connection.lastKeepaliveAck === before) await new Promise((resolve) => setTimeout(resolve, 5));
  messenger.close();
});

test("keys of a connection do not show, however hard one looks", async () => {
  await using daemon = await FakeDaemon.listen({ type: "osd", mode: "secure", secrets });
  const messenger = messengerFor(["secure"]);
  const connection = await connectTo(messenger, osd(daemon.addr), new OpenAuth(secrets));
  const shown = inspect(connection, { depth: 30, showHidden: true, maxArrayLength: 10 });
  assert.doesNotMatch(shown, /07 07 07 07|08 08 08 08|7, 7, 7, 7|8, 8, 8, 8/);
  messenger.close();
});

test("a client that is fenced with another announces the other's address in front of its own", async () => {
  const fencedWith = { type: "any", nonce: 77, family: 4, address: "192.0.2.1", port: 0 } as const;
  const announced = async (other: EntityAddr | undefined) => {
    await using daemon = await FakeDaemon.listen({ type: "osd" });
    const messenger = messengerFor(["crc"], { fencedWith: other });
    await connectTo(messenger, osd(daemon.addr), new OpenAuth());
    const [peer] = daemon.peers;
    assert.deepEqual(peer!.addrs, messenger.addrs);
    messenger.close();
    return peer!.addrs.map(({ nonce }) => nonce === fencedWith.nonce);
  };
  assert.deepEqual(await announced(fencedWith), [true, false]);
  assert.deepEqual(await announced(undefined), [false]);
});

test("where protocol v1 has no room for the other's address, no OSD is dialled", () => {
  const fencedWith = { type: "any", nonce: 77, family: 4, address: "192.0.2.1", port: 0 } as const;
  const dialled: number[] = [];
  const messenger = messengerFor(["crc"], {
    fencedWith,
    openTransport: (target, events) => {
      dialled.push(target.port);
      return openTcp(target, events);
    },
  });
  const addr: EntityAddr = { type: "legacy", nonce: 0, family: 4, address: "127.0.0.1", port: 1 };
  const nothing = { ready: () => {}, message: () => {}, closed: () => {} };
  assert.throws(() => messenger.connect(osd(addr), new OpenAuth(), nothing), { code: "SIPHON_RADOS_MODE" });
  assert.deepEqual(dialled, []);
});
