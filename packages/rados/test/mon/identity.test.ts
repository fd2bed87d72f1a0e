import assert from "node:assert/strict";
import { test } from "node:test";
import { NoneAuthenticator } from "../../src/auth/authenticator.ts";
import { MonClient } from "../../src/mon/client.ts";
import { messengerFor } from "../support/connect.ts";
import { FakeDaemon } from "../support/fake-daemon.ts";

test("OSDs know a client by the first number that the monitors gave, also when a later session brings another one", async (t) => {
  let given = 100n;
  const second = Promise.withResolvers<void>();
  await using mon = await FakeDaemon.listen({
    type: "mon",
    globalId: () => given++,
    // Of a client that has a session.
    message: (peer) => {
      if (given === 101n) peer.socket.destroy();
      else second.resolve();
    },
  });
  const messenger = messengerFor(["crc"]);
  const authenticator = new NoneAuthenticator({ type: "client", id: "admin" });
  const nothing = () => {};
  const client = new MonClient(
    messenger,
    authenticator,
    { candidates: [{ name: "mon.a", addrs: [mon.addr] }] },
    { monmap: nothing, osdmap: nothing, config: nothing, mgrmap: nothing },
  );
  t.after(() => {
    client.close();
    messenger.close();
  });
  const opening = client.open(60_000);
  opening.catch(nothing);
  await second.promise;
  assert.equal(authenticator.globalId, 101n);
  assert.equal(messenger.globalId, 100n);
});
