import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { Cluster, type MonEvent } from "@siphon/rados";
import { type Image, ImagePool } from "@siphon/rbd";
import { Random } from "../../../rados/test/support/random.ts";
import { SocketCuts } from "../../soak/rados/faults/socket-cuts.ts";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";

/** Monitors that are gone for longer than tickets live give a client another number when they are back. */

/** Seconds. */
const lifetime = 6;

for (const msgr of ["v2", "v1"] as const) {
  test(`${msgr}: locks and watches stay their owner's though the monitors took it for a new client`, async () => {
    await using ceph = await LocalCluster.up({
      ...{ name: `rbd-identity-${msgr}`, mons: 1, osds: 1, replicas: 1, store: "memstore", pgs: 8 },
      ...{ auth: "cephx", msgr },
      settings: {
        ...{ auth_mon_ticket_ttl: lifetime, auth_service_ticket_ttl: lifetime },
        auth_allow_insecure_global_id_reclaim: "false",
      },
    });
    const pool = ceph.spec.pool;
    const identity = { conf: ceph.conf, name: "client.admin", env: {} };
    const cuts = new SocketCuts(new Random(1));
    await using cluster = await Cluster.connect({ ...identity, openTransport: cuts.open });
    const images = await ImagePool.open(cluster, pool);
    const mib = 2 ** 20;
    for (const name of ["one", "other"]) await images.create(name, 16 * mib, { objectSize: mib });
    await using one = await images.open("one");
    await using other = await images.open("other", { exclusive: true });
    await one.write(0, Buffer.from("before"));
    await other.write(0, Buffer.from("before"));
    const { client } = (await one.locks.list()).lockers[0]!;
    const { globalId } = cluster;
    const given = await awayFor(ceph, cluster, 4 * lifetime);
    assert.notEqual(given, globalId, "the monitors gave another number");
    assert.equal(cluster.globalId, client);
    // Every connection to an OSD is made anew, with the new ticket.
    await cutAll(cuts, one);
    for (const image of [one, other]) {
      await image.write(mib, Buffer.from("after"));
      await image.snapshots.create("after");
      assert.deepEqual(
        (await image.locks.list()).lockers.map((locker) => locker.client),
        [client],
      );
    }

    await using theirs = await Cluster.connect(identity);
    const others = await ImagePool.open(theirs, pool);
    {
      await using mine = await others.open("one");
      await mine.write(2 * mib, Buffer.from("theirs"));
      assert.ok(!one.locks.owned);
      await using kept = await others.open("other");
      await assert.rejects(kept.write(0, Buffer.from("x")), { code: "SIPHON_RBD_LOCKED" });
    }
    await one.write(3 * mib, Buffer.from("ours again"));
    assert.equal((await one.read(2 * mib, 6)).toString(), "theirs");
    await one.close();
    await other.close();
    assert.deepEqual(await theirs.command({ prefix: "osd blocklist ls" }), []);
    for (const name of ["one", "other"]) {
      assert.deepEqual(await objectMapErrors(ceph.conf, "client.admin", `${pool}/${name}`), []);
    }
  });
}

/**
 * Ends the monitor until all tickets have expired, and waits until the client has a session again.
 *
 * @returns the number that it was given then
 */
async function awayFor(ceph: LocalCluster, cluster: Cluster, seconds: number): Promise<bigint> {
  const back = Promise.withResolvers<bigint>();
  const heard = (event: unknown) => {
    const { event: what, globalId } = event as MonEvent;
    if (what === "session") back.resolve(globalId!);
  };
  await ceph.stopDaemon("mon.a");
  subscribe("siphon:rados:mon", heard);
  try {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    await ceph.startDaemon("mon.a");
    const given = await back.promise;
    await cluster.command({ prefix: "version" });
    return given;
  } finally {
    unsubscribe("siphon:rados:mon", heard);
  }
}

/** Until requests have found all of them cut. */
async function cutAll(cuts: SocketCuts, image: Image): Promise<void> {
  const before = cuts.cuts;
  cuts.active = true;
  while (cuts.cuts < before + 3) await image.write(0, Buffer.alloc(65_536));
  cuts.active = false;
}
