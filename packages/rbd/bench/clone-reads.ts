/**
 * What reads of a clone cost that find nothing in the clone itself: requests to OSDs and client CPU of a 4 KiB read, at depth 1 and 32, by how
 * far away the data is and by features: `node clone-reads.ts [--reads 4000]`. The snapshot that is read from is confirmed to be there
 * whenever an OSD has no object: see docs/reliability.md.
 */
import { parseArgs } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { type Image, ImagePool } from "../src/index.ts";

const { values } = parseArgs({ options: { reads: { type: "string", default: "4000" } } });
const reads = Number(values.reads);
const objectSize = 65_536;
const objects = 256;

await using ceph = await LocalCluster.up({
  ...{ name: `bench-clone-${process.pid}`, osds: 1, replicas: 1, store: "memstore", pgs: 8 },
});
await using cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
const images = await ImagePool.open(cluster, ceph.spec.pool);
let requests = 0;
const { objecter } = cluster;
const submit = objecter.submit.bind(objecter);
objecter.submit = (request) => {
  requests++;
  submit(request);
};

const rows: Record<string, Record<string, number>> = {};
for (const [kind, features] of [
  ["object maps", 61],
  ["no object maps", 37],
] as const) {
  const leaf = await chain(`bench-${features}`, features);
  await using image = await images.open(leaf);
  // Takes the lock.
  await image.write((objects - 1) * objectSize, Buffer.from("x"));
  for (const [what, first] of [
    ["data of the parent", 0],
    ["data of the parent's parent", 1],
    ["nothing", 2],
  ] as const) {
    for (const depth of [1, 32]) {
      await read(image, first, depth, reads / 4);
      rows[`${kind}, ${what}, depth ${depth}`] = await read(image, first, depth, reads);
    }
  }
}
console.table(rows);

/** A clone of a clone; of three objects each the first is the middle image's, the second the first one's. */
async function chain(prefix: string, features: number): Promise<string> {
  const shape = { objectSize, features };
  const names = [0, 1, 2].map((n) => `${prefix}-${n}`);
  await images.create(names[0]!, objects * objectSize, shape);
  for (const [n, name] of names.entries()) {
    await using image = await images.open(name);
    if (n === 2) return name;
    for (let object = 1 - n; object < objects; object += 3) {
      await image.write(object * objectSize, Buffer.alloc(4096, "x"));
    }
    await image.snapshots.create("s");
    await images.clone(name, "s", names[n + 1]!, images, { version: 2, ...shape });
  }
  return names[2]!;
}

async function read(image: Image, first: number, depth: number, count: number) {
  let left = count;
  const before = requests;
  const cpu = process.cpuUsage();
  const began = performance.now();
  const reader = async () => {
    while (left-- > 0)
      await image.read((first + 3 * (left % Math.floor(objects / 3 - 1))) * objectSize, 4096);
  };
  await Promise.all(Array.from({ length: depth }, reader));
  const { user, system } = process.cpuUsage(cpu);
  return {
    "requests per read": Number(((requests - before) / count).toFixed(2)),
    "CPU us per read": Math.round((user + system) / count),
    "us per read": Math.round(((performance.now() - began) * 1000 * depth) / count),
  };
}
