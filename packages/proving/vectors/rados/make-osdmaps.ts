/**
 * Makes osdmaps.json.gz: every OSD map and incremental of a real cluster that goes through all the changes a map
 * can contain, and osdmaptool's output for each of them. Run: `node make-osdmaps.ts`.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { LocalCluster } from "@siphon/lab";

const run = promisify(execFile);
/** Each change leads to at least one epoch. */
const changes = [
  "osd pool create plain 8 8",
  "osd pool application enable plain rados",
  "osd erasure-code-profile set ec21 k=2 m=1 crush-failure-domain=osd",
  "osd pool create ec 4 4 erasure ec21",
  "osd pool set ec allow_ec_overwrites true",
  "osd erasure-code-profile set gone k=2 m=1",
  "osd erasure-code-profile rm gone",
  "osd pool mksnap plain first",
  "osd pool mksnap plain second",
  "osd pool rmsnap plain first",
  "osd pool set-quota plain max_objects 1000",
  "osd pool set plain size 2",
  "osd pool set plain pg_num 12",
  "osd pool rename plain renamed",
  "osd pool create cache 4 4",
  "osd tier add renamed cache",
  "osd tier cache-mode cache readproxy",
  "osd tier set-overlay renamed cache",
  "osd set noout",
  "osd set pause",
  "osd unset pause",
  "osd set-group noup osd.1",
  "osd crush set-device-class nvme osd.1",
  "osd set-group nodown nvme",
  "osd set-group noin default",
  "osd unset-group noup osd.1",
  "osd out 1",
  "osd in 1",
  "osd reweight 2 0.5",
  "osd primary-affinity 1 0.25",
  "osd set-require-min-compat-client luminous",
  "osd pg-upmap-items 1.0 0 3 1 2",
  "osd pg-upmap-items 1.1 0 3",
  "osd rm-pg-upmap-items 1.1",
  "osd pg-upmap 1.2 0 1 3",
  "osd pg-upmap 1.3 0 1 3",
  "osd rm-pg-upmap 1.3",
  "osd pg-temp 1.4 3 2 1",
  "osd primary-temp 1.5 2",
  "osd primary-temp 1.6 2",
  "osd blocklist add 192.0.2.7:0/123456",
  "osd blocklist add 192.0.2.8",
  "osd blocklist add [2001:db8::7]:0/9",
  "osd blocklist rm 192.0.2.8",
  "osd blocklist range add 198.51.100.0/24",
  "osd blocklist range add 2001:db8:1::/48",
  "osd blocklist range rm 198.51.100.0/24",
  "osd crush add-bucket rack1 rack",
  "osd crush move rack1 root=default",
  "osd crush reweight osd.0 0.5",
  "osd crush weight-set create-compat",
  "osd crush weight-set reweight-compat osd.1 0.3",
  "osd setmaxosd 8",
  "osd set-full-ratio 0.97",
  "osd set-nearfull-ratio 0.8",
  "osd down 0",
  "osd tier remove-overlay renamed",
  "osd tier remove renamed cache",
  "osd pool rm cache cache --yes-i-really-really-mean-it",
];

await using cluster = await LocalCluster.up({
  name: `vectors-${process.pid}`,
  osds: 4,
  replicas: 3,
  msgr: "both",
  pgs: 8,
  settings: { mon_allow_pool_delete: true, osd_pool_default_pg_autoscale_mode: "off" },
});
await cluster.client.rbd(["create", "--size", "1", "libvirt-pool/image"]);
await cluster.client.rbd(["snap", "create", "libvirt-pool/image@snap"]);
await cluster.client.rbd(["snap", "rm", "libvirt-pool/image@snap"]);
for (const change of changes) {
  await cluster.admin.command(change.split(" ")).catch((error) => console.error(`${change}: ${error}`));
}
await cluster.killDaemon("osd.3");
await cluster.admin.command(["osd", "down", "3"]);
await cluster.admin.command(["osd", "purge", "3", "--yes-i-really-mean-it"]);
const { epoch: last } = (await cluster.admin.command(["osd", "dump"])) as { epoch: number };
await cluster.stopDaemon("mon.a");

const directory = await mkdtemp(join(tmpdir(), "siphon-vectors-"));
const path = join(directory, "map");
const store = join(dirname(cluster.conf), "mon.a", "store.db");
const fulls: Record<number, string> = {};
const incrementals: Record<number, string> = {};
const dumps: Record<number, unknown> = {};
const stored = async (key: string): Promise<Buffer> => {
  await run("ceph-kvstore-tool", ["rocksdb", store, "get", "osdmap", key, "out", path]);
  return readFile(path);
};
for (let epoch = 1; epoch <= last; epoch++) {
  incrementals[epoch] = (await stored(String(epoch))).toString("base64");
  fulls[epoch] = (await stored(`full_${epoch}`)).toString("base64");
  const { stdout } = await run("osdmaptool", [path, "--dump", "json"], { maxBuffer: 2 ** 26 });
  dumps[epoch] = JSON.parse(stdout);
}
await rm(directory, { recursive: true });
const text = JSON.stringify({ fulls, incrementals, dumps });
await writeFile(
  new URL("../../../rados/test/vectors/osdmaps.json.gz", import.meta.url),
  gzipSync(text, { level: 9 }),
);
console.log(`${last} epochs`);
