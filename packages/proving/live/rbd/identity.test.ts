import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LocalCluster } from "@siphon/lab";
import { Cluster, type MonEvent } from "@siphon/rados";
import type { OpenTransport } from "@siphon/rados/engine";
import { type Image, ImagePool } from "@siphon/rbd";
import { Random } from "../../../rados/test/support/random.ts";
import { SocketCuts } from "../../soak/rados/faults/socket-cuts.ts";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";

/** A client that cannot reach the monitors for longer than its tickets live gets a new global id when it returns. */

/** Lifetime of tickets in seconds. Daemons renew their own secrets at the same interval. */
const lifetime = 6;

for (const msgr of ["v2", "v1"] as const) {
  test(`${msgr}: locks and watches stay with their owner, although the monitors take it for a new client`, async () => {
    await using ceph = await LocalCluster.up({
      ...{ name: `rbd-identity-${msgr}`, mons: 1, osds: 1, replicas: 1, store: "memstore", pgs: 8 },
      ...{ auth: "cephx", msgr },
      settings: {
        ...{ auth_mon_ticket_ttl: lifetime, auth_service_ticket_ttl: lifetime },
        auth_allow_insecure_global_id_reclaim: "false",
      },
    });
    const { pool } = ceph.spec;
    const identity = { conf: ceph.conf, name: "client.admin", env: {} };
    const network = new Network();
    await using cluster = await Cluster.connect({ ...identity, openTransport: network.open });
    const { globalId } = cluster;
    const images = await ImagePool.open(cluster, pool);
    const mib = 2 ** 20;
    for (const name of ["one", "other"]) await images.create(name, 16 * mib, { objectSize: mib });
    await using one = await images.open("one");
    await using other = await images.open("other", { exclusive: true });
    for (const image of [one, other]) await image.write(0, Buffer.from("before"));

    const given = await network.awayFor(cluster, 4 * lifetime);
    assert.notEqual(given, globalId, "the monitors gave another number");
    assert.equal(cluster.globalId, globalId);
    // The client reconnects to the OSDs with new tickets.
    await network.cutWhile(one);
    for (const image of [one, other]) {
      await image.write(mib, Buffer.from("after"));
      await image.snapshots.create("after");
      const { lockers } = await image.locks.list();
      assert.deepEqual(
        lockers.map(({ client }) => client),
        [globalId],
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

/** TCP that can block the way to the monitors and break connections. */
class Network {
  readonly #cuts = new SocketCuts(new Random(1));
  /** The port of each connection, by the function that ends it. */
  readonly #ends = new Map<() => void, number>();
  #unreachable: ReadonlySet<number> = new Set();

  readonly open: OpenTransport = (target, events) => {
    const closed = (error?: Error) => {
      if (this.#ends.delete(end)) events.closed(error ?? new Error("closed"));
    };
    const end = () => {
      if (!this.#ends.has(end)) return;
      transport.destroy();
      closed(new Error("unreachable on purpose"));
    };
    const transport = this.#cuts.open(target, { ...events, closed });
    this.#ends.set(end, target.port);
    if (this.#unreachable.has(target.port)) setImmediate(end);
    return {
      write: (chunks, written) => transport.write(chunks, written),
      destroy: () => {
        this.#ends.delete(end);
        transport.destroy();
      },
    };
  };

  /**
   * Keeps the monitors unreachable for this many seconds. Returns once the client has a session again.
   *
   * @returns the global id that the monitors have assigned
   */
  async awayFor(cluster: Cluster, seconds: number): Promise<bigint> {
    const back = Promise.withResolvers<bigint>();
    const heard = (event: unknown) => {
      const { event: what, globalId } = event as MonEvent;
      if (what === "session") back.resolve(globalId!);
    };
    this.#unreachable = new Set(cluster.monmap.mons.flatMap(({ addrs }) => addrs.map(({ port }) => port)));
    for (const [end, port] of [...this.#ends]) if (this.#unreachable.has(port)) end();
    subscribe("siphon:rados:mon", heard);
    try {
      await sleep(seconds * 1000);
      this.#unreachable = new Set();
      return await back.promise;
    } finally {
      unsubscribe("siphon:rados:mon", heard);
    }
  }

  /** Writes until connections have been cut. */
  async cutWhile(image: Image): Promise<void> {
    const before = this.#cuts.cuts;
    this.#cuts.active = true;
    while (this.#cuts.cuts < before + 3) await image.write(0, Buffer.alloc(65_536));
    this.#cuts.active = false;
  }
}
