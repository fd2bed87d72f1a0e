import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { ObjectTarget, opCode, requestFlag } from "@siphon/rados/engine";
import { openTcp } from "../../../rados/src/messenger/transport.ts";
import { TestRequest } from "../../../rados/test/support/fake-cluster.ts";
import { upForTest } from "../../support/rados/live-modes.ts";

const recordBytes = 512;

/** Appends numbered records to an object, with `depth` requests in flight. No record may be missing, duplicated or out of order. */
class Appender {
  readonly #cluster: Cluster;
  readonly #target: ObjectTarget;
  #submitted = 0;
  #acknowledged = 0;
  #stopping = false;
  readonly #ended = Promise.withResolvers<void>();

  constructor(cluster: Cluster, pool: number, name: string, depth: number) {
    this.#cluster = cluster;
    this.#target = new ObjectTarget(pool, name);
    for (let i = 0; i < depth; i++) this.#append();
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Waits for the last reply, and verifies the records. */
  async check(): Promise<void> {
    this.#stopping = true;
    await this.#ended.promise;
    const request = new TestRequest();
    request.target = this.#target;
    request.flags = requestFlag.read;
    request.ops.addExtent(opCode.read, 0, 0);
    this.#cluster.objecter.submit(request);
    const { bytes, result } = await request.done;
    assert.equal(result, 0);
    assert.equal(bytes.length, this.#submitted * recordBytes);
    for (let i = 0; i < this.#submitted; i++) {
      assert.ok(record(i).equals(bytes.subarray(i * recordBytes, (i + 1) * recordBytes)), `record ${i}`);
    }
  }

  #append(): void {
    const request = new TestRequest();
    request.target = this.#target;
    request.flags = requestFlag.write;
    request.input = record(this.#submitted++);
    request.ops.addExtent(opCode.append, 0, recordBytes, recordBytes);
    this.#cluster.objecter.submit(request);
    void request.done.then(({ result, error }) => {
      if (result !== 0) this.#ended.reject(error ?? new Error(`an append failed: ${result}`));
      this.#acknowledged++;
      if (!this.#stopping) this.#append();
      else if (this.#acknowledged === this.#submitted) this.#ended.resolve();
    });
  }
}

function record(number: number): Buffer {
  return Buffer.alloc(recordBytes, `${String(number).padStart(8, "0")} `);
}

describe("under load", () => {
  let ceph: LocalCluster;
  let cluster: Cluster;
  let appenders: Appender[];
  let cuts = 0;
  let cutNext = false;

  before(async () => {
    const spec = { mons: 1, osds: 3, replicas: 2, store: "bluestore", auth: "cephx", wire: "any" } as const;
    ceph = await upForTest("rados-objecter", spec);
    cluster = await Cluster.connect({
      ...{ conf: ceph.conf, name: "client.admin", env: {} },
      // Breaks a connection in the middle of incoming data when a test asks for it.
      openTransport: (target, events) => {
        const transport = openTcp(target, {
          connected: () => events.connected(),
          closed: (error) => events.closed(error),
          received: (length) => {
            if (!cutNext) return events.received(length);
            cutNext = false;
            cuts++;
            events.received(length >> 1);
            transport.destroy();
            setImmediate(() => events.closed(new Error("cut by the test")));
          },
        });
        return transport;
      },
    });
    const pool = cluster.osdmap.poolByName("libvirt-pool")!.id;
    appenders = Array.from(
      { length: 12 },
      (_, i) => new Appender(cluster, pool, `appended-${i}`, 1 + (i % 4)),
    );
    await progress();
  });

  after(async () => {
    cluster?.close();
    await ceph?.down();
  });

  /** Waits until every appender has made progress. */
  async function progress(): Promise<void> {
    const before = appenders.map(({ acknowledged }) => acknowledged);
    while (appenders.some(({ acknowledged }, i) => acknowledged < before[i]! + 5)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test("connections break in the middle of a message", async () => {
    while (cuts < 20) {
      cutNext = true;
      await progress();
    }
  });

  test("the whole cluster pauses", async () => {
    await cluster.command({ prefix: "osd pause" });
    await cluster.latestOsdMap();
    const paused = () => cluster.objecter.inspect().filter(({ state }) => state === "paused").length;
    while (paused() < appenders.length) await new Promise((resolve) => setTimeout(resolve, 50));
    await cluster.command({ prefix: "osd unpause" });
    await progress();
  });

  test("the number of placement groups doubles", async () => {
    const pool = cluster.osdmap.poolByName("libvirt-pool")!;
    const val = String(2 * pool.pgNum);
    await cluster.command({ prefix: "osd pool set", pool: "libvirt-pool", var: "pg_num", val });
    while (cluster.osdmap.pool(pool.id)!.pgNum === pool.pgNum) await progress();
    await progress();
  });

  test("an OSD is killed and restarted", async () => {
    await ceph.killDaemon("osd.1");
    await progress();
    await ceph.startDaemon("osd.1");
    await progress();
  });

  test("an OSD is marked down", async () => {
    await cluster.command({ prefix: "osd down", ids: ["0"] });
    await progress();
  });

  test("finally every record is there once, in the order of submission", async () => {
    for (const appender of appenders) await appender.check();
  });
});
