import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { Cluster, NO_SNAP, type Pool } from "@siphon/rados";
import type { ImageHeader } from "../../src/header/image-header.ts";
import { userSnapshot } from "../../src/header/image-header.ts";
import { readHeader } from "../../src/header/read-header.ts";
import { openParent } from "../../src/image/parents.ts";
import { ImageIo } from "../../src/io/image-io.ts";
import { exportDiff } from "../../src/transfer/export-diff.ts";
import { ImageDiff } from "../../src/transfer/image-diff/image-diff.ts";
import { MemorySink } from "../support/diffs.ts";

const pool = "images";
const directory = mkdtempSync(join(tmpdir(), "siphon-transfer-"));
let ceph: LocalCluster;
let cluster: Cluster;
let images: Pool;

before(async () => {
  ceph = await LocalCluster.up({
    name: "rbd-transfer",
    osds: 1,
    replicas: 1,
    store: "memstore",
    pgs: 8,
    pool,
  });
  cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  images = await cluster.pool(pool);
  const script = new URL("../support/make-images.py", import.meta.url).pathname;
  execFileSync("/usr/bin/python3", [script, ceph.conf, pool]);
});

after(async () => {
  cluster?.close();
  await ceph?.down();
  rmSync(directory, { recursive: true });
});

const pairs: Record<string, [from: string | undefined, to: string | undefined][]> = {
  plain: everyPair("one", "two", "three"),
  striped: everyPair("one", "two", "three"),
  mapped: everyPair("one", "two", "three"),
  clone: everyPair("first", "second"),
  empty: everyPair(),
};

for (const [image, fromTo] of Object.entries(pairs)) {
  test(`the extents that changed in image ${image} are those of rbd diff`, async () => {
    for (const [from, to] of fromTo) {
      for (const wholeObject of [false, true]) {
        const spec = to === undefined ? image : `${image}@${to}`;
        const args = [...(from ? ["--from-snap", from] : []), ...(wholeObject ? ["--whole-object"] : [])];
        const expected = JSON.parse(rbd("diff", spec, ...args, "--format", "json").toString());
        const { source } = await diffOf(image, from, to, wholeObject);
        const extents = [];
        for await (const { offset, length, exists } of source.extents()) {
          extents.push({ offset, length, exists: String(exists) });
        }
        assert.deepEqual(extents, expected, `${spec} ${args.join(" ")}`);
      }
    }
  });

  test(`the exported diffs of image ${image} are those of rbd export-diff, byte for byte`, async () => {
    for (const [from, to] of fromTo) {
      const spec = to === undefined ? image : `${image}@${to}`;
      const expected = rbd("export-diff", ...(from ? ["--from-snap", from] : []), spec, "-");
      const sink = new MemorySink();
      await exportDiff((await diffOf(image, from, to)).source, { from, to }, sink);
      assert.equal(sink.bytes.equals(expected), true, `${spec} from ${from}`);
    }
  });
}

async function diffOf(name: string, from: string | undefined, to: string | undefined, wholeObject = false) {
  const header = await headerOf(name);
  const snapId = to === undefined ? NO_SNAP : userSnapshot(header, to)!.id;
  const io = new ImageIo({ objecter: cluster.objecter, state: header, snapId, readOnly: true });
  const parent = snapId === NO_SNAP ? header.parent : header.snapshots.get(snapId)!.parent;
  if (parent !== undefined) io.parent = await openParent(cluster, parent);
  const fromSnapId = from === undefined ? 0 : userSnapshot(header, from)!.id;
  return { header, source: new ImageDiff(cluster, io, { fromSnapId, wholeObject }) };
}

async function headerOf(name: string): Promise<ImageHeader> {
  const id = (await images.read(`rbd_id.${name}`)).subarray(4).toString();
  return readHeader(images, id, name);
}

function rbd(...args: string[]): Buffer {
  const access = ["--conf", ceph.conf, "--id", "admin", "--pool", pool];
  return execFileSync("rbd", [...access, ...args], { stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 30 });
}

/** From nothing and from each snapshot, to each later one and the head. */
function everyPair(...snapshots: string[]): [string | undefined, string | undefined][] {
  const states = [undefined, ...snapshots, undefined];
  return states.flatMap((from, n) => states.slice(n + 1).map((to) => [from, to] as [typeof from, typeof to]));
}
