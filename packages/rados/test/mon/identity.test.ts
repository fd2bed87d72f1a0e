import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type EntityAddr, Writer, writeEntityAddrVec } from "@siphon/wire";
import { NoneAuthenticator } from "../../src/auth/authenticator.ts";
import { messageType } from "../../src/messages/types.ts";
import { MonClient } from "../../src/mon/client.ts";
import type { MonMap } from "../../src/mon/monmap.ts";
import { messengerFor } from "../support/connect.ts";
import { FakeDaemon } from "../support/fake-daemon.ts";

const nothing = () => {};

function clientOf(t: TestContext, mon: FakeDaemon, monmap: (map: MonMap) => void = nothing) {
  const messenger = messengerFor(["crc"]);
  const authenticator = new NoneAuthenticator({ type: "client", id: "admin" });
  const client = new MonClient(
    messenger,
    authenticator,
    { candidates: [{ name: "mon.a", addrs: [mon.addr] }] },
    { monmap, osdmap: nothing, config: nothing, mgrmap: nothing },
  );
  t.after(() => {
    client.close();
    messenger.close();
  });
  return { client, messenger, authenticator };
}

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
  const { client, messenger, authenticator } = clientOf(t, mon);
  const opening = client.open(60_000);
  opening.catch(nothing);
  await second.promise;
  assert.equal(authenticator.globalId, 101n);
  assert.equal(messenger.globalId, 100n);
});

test("a monitor of another cluster that has come to the address of ours is left again, and nothing of it is believed", async (t) => {
  const [ours, theirs] = ["11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"];
  const fsids = [ours, theirs, ours];
  await using mon: FakeDaemon = await FakeDaemon.listen({
    type: "mon",
    // The first message of a session is what the client subscribes to.
    message: (peer) => {
      const fsid = fsids.shift();
      if (fsid !== undefined) peer.send(messageType.monMap, 0, monMap(fsid, mon.addr));
    },
  });
  const seen: string[] = [];
  const back = Promise.withResolvers<void>();
  const { client } = clientOf(t, mon, ({ fsid }) => {
    if (seen.push(fsid) === 2) back.resolve();
  });
  await client.open(60_000);
  for (const peer of mon.peers) peer.socket.destroy();
  await back.promise;
  assert.deepEqual([seen, fsids, client.monmap?.fsid], [[ours, ours], [], ours]);
});

/** An MMonMap of one monitor; the layout is at `readMonMap`. */
function monMap(fsid: string, addr: EntityAddr): Buffer {
  const noFeatures = (w: Writer) => w.versioned(1, 1, () => w.u64(0n));
  const map = new Writer(256);
  map.versioned(7, 6, (w) => {
    w.raw(Buffer.from(fsid.replaceAll("-", ""), "hex"))
      .u32(1)
      .u64(0n)
      .u64(0n);
    noFeatures(w);
    noFeatures(w);
    w.u32(1).string("a");
    w.versioned(1, 1, () => {
      w.string("a");
      writeEntityAddrVec(w, [addr]);
    });
    w.u32(1).string("a");
  });
  const bytes = map.finish();
  return new Writer(bytes.length + 4).u32(bytes.length).raw(bytes).finish();
}
