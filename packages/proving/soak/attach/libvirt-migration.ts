/**
 * Migrates a libvirt domain there and back between two hosts with `virsh migrate --live`, under a load in the guest that
 * verifies its writes. The hosts are network namespaces, each with a libvirtd, siphon's service and its hook, which
 * attaches the domain's disks (one over vhost-user-blk, one over NBD) on the destination and detaches them on the source.
 * virsh directs the migration there, and the source's libvirtd the one back (`--p2p`). Before each of them another one is
 * cancelled. Ends with an error if the guest reads wrong data or sees an error. Needs root.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createImage, type GuestControl, LocalCluster } from "@siphon/lab";
import { Network } from "../../../lab/src/network/network.ts";
import { begin, count } from "../../program.ts";
import { LibvirtHost } from "../../support/attach/libvirt-host.ts";
import { MigrationLoad } from "../../support/attach/migration-load.ts";

const { rounds } = await begin(
  "soak:libvirt",
  "Migrates a libvirt domain there and back between two hosts with `virsh migrate`.",
  { rounds: count("rounds, each with a migration there and back", 5) },
);
await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "l-"));
stack.defer(() => rm(directory, { recursive: true, force: true }));
const name = `soak-libvirt-${process.pid}`;
const network = stack.use(await Network.create(name));
const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
const ceph = stack.use(await LocalCluster.up({ name, ...spec }, { address: network.address }));
const images = ["vhost", "nbd"] as const;
for (const image of images) await createImage(ceph.admin, { image, size: 64 << 20 });
const hosts: LibvirtHost[] = [];
for (const each of ["first", "second"]) {
  const host = await network.addHost(each);
  hosts.push(stack.use(await LibvirtHost.start(join(directory, each), host, ceph.conf)));
}
const [first, second] = hosts as [LibvirtHost, LibvirtHost];
const { pool } = ceph.client;
await first.create({ vhost: `${pool}/vhost`, nbd: `${pool}/nbd` });
second.copyFilesFrom(first);
let guest: GuestControl = await first.enterGuest();
stack.defer(() => guest[Symbol.asyncDispose]());
const load = await MigrationLoad.start(
  async (command) => {
    const { exitCode, stdout, stderr } = await guest.run(command, { timeoutMs: 120_000 });
    assert.equal(exitCode, 0, `${command}: ${stdout}${stderr}`);
    return stdout;
  },
  ["vda", "vdb"],
);
const served = images.map((image) => `${image} serving`);
let migrated = 0;
for (let round = 1; round <= rounds; round++) {
  for (const [from, to, flags] of [
    [first, second, []],
    [second, first, ["--p2p"]],
  ] as const) {
    await from.cancelMigrationTo(to);
    await load.goesOn();
    assert.deepEqual((await from.disks()).sort(), served.toSorted());
    assert.deepEqual(await to.disks(), []);
    await load.startReading();
    const start = performance.now();
    await from.migrateTo(to, ...flags);
    const took = Math.round(performance.now() - start);
    await guest[Symbol.asyncDispose]();
    guest = await to.enterGuest();
    assert.deepEqual((await to.disks()).sort(), served.toSorted());
    assert.deepEqual(await from.disks(), []);
    await load.checkRead();
    const longestWrite = Math.round(await load.goesOn());
    console.log(`migration ${++migrated}: ${took} ms in all, longest write ${longestWrite} ms`);
  }
}
await load.end();
await first.virsh("destroy", "siphon");
assert.deepEqual(await first.disks(), []);
console.log(`${migrated} migrations, ${migrated} cancelled, 0 lost`);
