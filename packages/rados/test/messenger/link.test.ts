import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntityAddr } from "@siphon/wire";
import { type Authenticator, NoneAuthenticator } from "../../src/auth/authenticator.ts";
import { RadosError } from "../../src/errors.ts";
import { Link, type LinkHandler } from "../../src/messenger/link.ts";
import { messengerFor } from "../support/connect.ts";
import { FakeDaemon } from "../support/fake-daemon.ts";

const authenticator: Authenticator = new NoneAuthenticator({ type: "client", id: "admin" });

function link(
  locate: () => EntityAddr | undefined,
  handler: Partial<LinkHandler>,
  options: { authenticator?: Authenticator; renewTickets?: () => void } = {},
): Link {
  const messenger = messengerFor(["crc"]);
  const nothing = () => {};
  return new Link(
    { messenger, authenticator, type: "osd", name: "osd.0", locate, renewTickets: nothing, ...options },
    { ready: nothing, message: nothing, lost: nothing, ...handler },
  );
}

test("a link that breaks is made again, and its owner is told both times", async () => {
  await using daemon = await FakeDaemon.listen({ type: "osd" });
  const told: string[] = [];
  const again = Promise.withResolvers<void>();
  using _link = link(() => daemon.addr, {
    ready: () => {
      told.push("ready");
      if (told.length > 2) again.resolve();
      else for (const peer of daemon.peers) peer.socket.destroy();
    },
    lost: (error) => told.push(error.code),
  });
  await again.promise;
  assert.deepEqual(told, ["ready", "SIPHON_RADOS_CONNECTION", "ready"]);
});

test("while attempts fail the pauses grow, and none is made to a daemon that is nowhere", async () => {
  const attempts: number[] = [];
  const failed = Promise.withResolvers<void>();
  const addr = { type: "msgr2", nonce: 0, family: 4, address: "127.0.0.1", port: 1 } as const;
  using failing = link(() => addr, {
    lost: () => attempts.push(performance.now()) === 5 && failed.resolve(),
  });
  using nowhere = link(() => undefined, { lost: () => assert.fail("there was nothing to lose") });
  await failed.promise;
  for (const [n, least] of [75, 150, 300, 600].entries()) {
    const pause = attempts[n + 1]! - attempts[n]!;
    // Timers of Node count whole milliseconds.
    assert.ok(pause >= least - 1, `pause ${n} took ${pause} ms`);
  }
  assert.equal(failing.connection, undefined);
  assert.equal(nowhere.connection, undefined);
});

test("a daemon that moves is followed, one that comes back is found at once", async () => {
  await using first = await FakeDaemon.listen({ type: "osd" });
  await using second = await FakeDaemon.listen({ type: "osd" });
  let addr: EntityAddr | undefined = first.addr;
  const ports: number[] = [];
  let ready = Promise.withResolvers<void>();
  const lost: string[] = [];
  using moving = link(() => addr, {
    ready: ({ peer }) => {
      ports.push(peer.addr.port);
      ready.resolve();
    },
    lost: ({ message }) => lost.push(message),
  });
  await ready.promise;
  moving.relocate();
  assert.ok(moving.connection !== undefined, "the same place changes nothing");
  for (const next of [second.addr, undefined, first.addr]) {
    ready = Promise.withResolvers();
    addr = next;
    moving.relocate();
    if (next === undefined) assert.equal(moving.connection, undefined);
    else await ready.promise;
  }
  assert.deepEqual(ports, [first.addr.port, second.addr.port, first.addr.port]);
  assert.deepEqual(lost, ["osd.0 has moved", "osd.0 is down"]);
});

test("without a ticket, new ones are asked for, and it is tried again", async () => {
  await using daemon = await FakeDaemon.listen({ type: "osd" });
  let renewals = 0;
  const ready = Promise.withResolvers<void>();
  const without = Object.assign(new NoneAuthenticator({ type: "client", id: "admin" }), {
    forDaemon: (type: "osd" | "mgr") => {
      if (renewals === 0) throw new RadosError("SIPHON_RADOS_AUTH", "no ticket", { retryable: true });
      return authenticator.forDaemon(type);
    },
  }) as Authenticator;
  const options = { authenticator: without, renewTickets: () => renewals++ };
  using _link = link(() => daemon.addr, { ready: () => ready.resolve() }, options);
  await ready.promise;
  assert.equal(renewals, 1);
});
