import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { Cluster, type Pool, ReadOperation } from "@siphon/rados";
import { ImagePool } from "@siphon/rbd";
import { runCampaign } from "../../soak/rbd/commands/campaign.ts";
import { describe } from "../../soak/rbd/commands/describe.ts";
import { KeptState } from "../../soak/rbd/commands/kept-state.ts";
import { someLines } from "../../soak/rbd/commands/lines.ts";

let cluster: LocalCluster;

before(async () => {
  const small = { osds: 1, replicas: 1, store: "memstore", pgs: 8 } as const;
  cluster = await LocalCluster.up({ name: `rbd-lines-${process.pid}`, ...small });
});

after(() => cluster?.down());

test("generated command lines end, print and report like rbd's, except for intended differences", async () => {
  const findings = await runCampaign({ conf: cluster.conf, lines: someLines(60, 18) });
  const open = findings.filter(({ differences }) => differences.length === 0);
  assert.equal(open.length, 0, open.map(describe).join("\n"));
});

test("the state that lines begin with comes back after changes, also of data and snapshots", async () => {
  await using ceph = await Cluster.connect({ conf: cluster.conf, name: "client.admin", env: {} });
  await ceph.createPool({ name: "kept", pgs: 1, application: "rbd" });
  const pool = await ceph.pool("kept");
  const state = await KeptState.make(ceph, "kept");
  const before = await contents(pool);
  const images = await ImagePool.open(ceph, "kept");
  await images.create("new", 4 << 20);
  await images.rename("old", "older");
  await images.trash.move("clone2");
  await images.namespaces.create("more");
  {
    await using plain = await images.open("plain");
    await plain.snapshots.create("s3");
    await plain.metadata.set(new Map([["k", "other"]]));
  }
  await state.restore();
  assert.deepEqual(await contents(pool), before);
  {
    await using plain = await images.open("plain");
    await plain.write(0, Buffer.alloc(4096, 1));
  }
  await state.restore();
  {
    await using plain = await images.open("plain");
    assert.equal((await plain.read(0, 1))[0], 7);
    await using old = await images.open("old");
    await old.snapshots.remove("s");
  }
  await state.restore();
  await using old = await images.open("old");
  assert.deepEqual(
    (await old.snapshots.list()).map(({ name }) => name),
    ["s"],
  );
});

/** All objects of a pool with their omaps and attributes. */
async function contents(pool: Pool): Promise<unknown[]> {
  const found: { at: string; values: unknown }[] = [];
  for await (const { namespace, name } of pool.listObjects({ allNamespaces: true })) {
    const operation = new ReadOperation().getXattrs().getOmapHeader().getOmapValues();
    const { values } = await pool.with({ namespace }).operate(name, operation);
    found.push({ at: `${namespace}/${name}`, values });
  }
  return found.sort((a, b) => (a.at < b.at ? -1 : 1));
}
