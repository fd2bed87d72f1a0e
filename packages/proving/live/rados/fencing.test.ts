import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { LocalCluster } from "@siphon/lab";
import { Cluster, type Pool } from "@siphon/rados";
import { upForTest } from "../../support/rados/live-modes.ts";

const ending = new AsyncDisposableStack();
let ceph: LocalCluster;
let admin: Cluster;

before(async () => {
  ceph = await upForTest("fencing", { auth: "cephx", mons: 1, osds: 2, replicas: 2, wire: "any" });
  ending.defer(() => ceph.down());
  admin = await connect();
  await admin.createPool({ name: "fenced", pgs: 8, size: 2, application: "rados" });
});

after(() => ending.disposeAsync());

test("one blocklist entry ends a client and all clients fenced with it, in the middle of their writes", async () => {
  const owner = await connect();
  const workers = [await connect(owner), await connect(owner)];
  const bystander = await connect();
  const clients = [owner, ...workers];
  assert.equal(new Set(clients.map(({ globalId }) => globalId)).size, 3);
  const writers = await Promise.all(clients.map((client, index) => Writer.start(client, `writer-${index}`)));
  const other = await Writer.start(bystander, "bystander");
  await Promise.all([...writers, other].map((writer) => writer.reached(50)));
  // The address under which others know the owner and its workers.
  const { address, port, nonce } = owner.fencedOptions().fencedWith!;
  await admin.blocklist("add", `${address}:${port}/${nonce}`);
  const ends = await Promise.all(writers.map((writer) => writer.ended));
  assert.deepEqual(ends, ["ESHUTDOWN", "ESHUTDOWN", "ESHUTDOWN"]);
  const read = await admin.pool("fenced");
  const stored = await Promise.all(writers.map(({ object }) => read.read(object)));
  const before = other.acknowledged;
  await other.reached(before + 50);
  for (const [index, writer] of writers.entries()) {
    // No later write arrives, and no acknowledged write is missing.
    const now = await read.read(writer.object);
    assert.deepEqual(now, stored[index]);
    assert.ok(now.readUInt32LE() >= writer.acknowledged, `${now.readUInt32LE()} of ${writer.acknowledged}`);
  }
  await other.stop();
});

test("clients fenced together do not end each other's connections", async () => {
  const owner = await connect();
  const clients = [owner, await connect(owner), await connect(owner), await connect(owner)];
  let lost = 0;
  for (const client of clients) {
    const listening = client.objecter.listen({ sessionLost: () => lost++ });
    ending.defer(() => listening[Symbol.dispose]());
  }
  const writers = await Promise.all(
    clients.map((client, index) => Writer.start(client, `together-${index}`)),
  );
  await Promise.all(writers.map((writer) => writer.reached(500)));
  for (const writer of writers) await writer.stop();
  assert.equal(lost, 0);
});

/** Writes increasing numbers to an object until a write fails. */
class Writer {
  readonly object: string;
  acknowledged = 0;
  readonly ended: Promise<string>;
  readonly #pool: Pool;
  #stopping = false;
  #heard = Promise.withResolvers<void>();

  private constructor(pool: Pool, object: string) {
    this.#pool = pool;
    this.object = object;
    this.ended = this.#run();
  }

  static async start(client: Cluster, object: string): Promise<Writer> {
    return new Writer(await client.pool("fenced"), object);
  }

  async reached(number: number): Promise<void> {
    while (this.acknowledged < number) await this.#heard.promise;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    assert.equal(await this.ended, "stopped");
  }

  async #run(): Promise<string> {
    const number = Buffer.alloc(4);
    while (!this.#stopping) {
      number.writeUInt32LE(this.acknowledged + 1);
      try {
        await this.#pool.write(this.object, 0, number);
      } catch (error) {
        return (error as { code: string }).code;
      }
      this.acknowledged++;
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    }
    return "stopped";
  }
}

/** @param owner client that the new client is fenced with */
async function connect(owner?: Cluster): Promise<Cluster> {
  const cluster = await Cluster.connect(
    // The options reach a worker as a structured clone.
    structuredClone(owner?.fencedOptions()) ?? { conf: ceph.conf, name: "client.admin", env: {} },
  );
  ending.defer(() => cluster.close());
  return cluster;
}
