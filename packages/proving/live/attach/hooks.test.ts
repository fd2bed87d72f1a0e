import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createImage, LocalCluster } from "@siphon/lab";
import { findAccount } from "../../../attach/src/server/accounts.ts";
import { Attachd, attachCommand, type Disk, placesIn } from "../../support/attach/attachd.ts";
import { enterGuest, guestDomain } from "../../support/attach/guest-domain.ts";
import { Libvirtd } from "../../support/attach/libvirtd.ts";
import { run } from "../../support/attach/run.ts";
import { qemu } from "../../support/attach/test-qemu.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-hooks-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");
const vmDirectory = join(directory, "vm");
const places = placesIn(directory);
const user = "libvirt-qemu";

let ceph: LocalCluster;
let attachd: Attachd;
let libvirtd: Libvirtd;

before(async () => {
  chmodSync(directory, 0o755);
  const hooks = join(directory, "libvirt", "etc", "hooks");
  for (const each of [hooks, vmDirectory]) mkdirSync(each, { recursive: true, mode: 0o755 });
  const account = await findAccount(user);
  assert.ok(account, "libvirt's user is there");
  chownSync(vmDirectory, account.uid, account.gids[0]!);
  // The packaged hook, but with the siphon under test.
  const shipped = join(import.meta.dirname, "../../../../packaging/hooks/libvirt");
  const [program, ...words] = attachCommand();
  const script = readFileSync(shipped, "utf8").replace(
    "/usr/bin/siphon attach",
    [program, ...words].join(" "),
  );
  writeFileSync(join(hooks, "qemu"), `${script.trimEnd()} --control ${places.control}\n`, { mode: 0o755 });
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
  ceph = await LocalCluster.up({ name: "hooks", ...spec });
  await createImage(ceph.admin, { image: "vm1", size: 64 << 20 });
  attachd = await Attachd.start({ directory, conf: ceph.conf, args: ["--socket-user", user] });
  libvirtd = await Libvirtd.start(join(directory, "libvirt"), qemu);
});

after(async () => {
  await libvirtd?.[Symbol.asyncDispose]();
  await attachd?.kill();
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

const rbdDisk = (image: string) => `<disk type='network' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source protocol='rbd' name='libvirt-pool/${image}'>
        <host name='192.0.2.1' port='3300'/>
      </source>
      <target dev='vda' bus='virtio'/>
    </disk>`;

async function convert(...words: string[]): Promise<string> {
  const [program, ...call] = attachCommand();
  const env = { LIBVIRT_DEFAULT_URI: libvirtd.uri };
  return run(program!, [...call, "convert", ...words, "--sockets", places.run], undefined, {
    env,
    timeout: 400_000,
  });
}

const states = async () => (await attachd.ask<Disk[]>("list")).map(({ name, state }) => `${name} ${state}`);

/** The domain's XML before any change. */
let original: string;

test("a domain that uses librbd is converted to one whose disk siphon serves; nothing changes without --write", async () => {
  const file = join(directory, "domain.xml");
  writeFileSync(file, await guestDomain(vmDirectory, [rbdDisk("vm1")]));
  await libvirtd.virsh("define", file);
  original = await libvirtd.virsh("dumpxml", "--inactive", "siphon");
  const copies = join(directory, "copies");
  mkdirSync(copies);
  process.chdir(copies);
  assert.match(await convert("siphon"), /^\+ .*<disk type='vhostuser'/m);
  assert.equal(await libvirtd.virsh("dumpxml", "--inactive", "siphon"), original);
  assert.match(await convert("siphon", "--write"), /siphon is defined anew/);
});

test("the domain's disk is attached from its start to its end", async () => {
  await libvirtd.virsh("start", "siphon").catch((cause) => {
    throw new Error(`${cause.message}\n${libvirtd.qemuLog("siphon")}`, { cause });
  });
  assert.deepEqual(await states(), ["libvirt-pool-vm1 serving"]);
  {
    await using guest = await enterGuest(vmDirectory);
    const load =
      "fio --name=v --filename=/dev/vda --rw=randwrite --bs=16k --size=16m --iodepth=16 --ioengine=libaio --direct=1 " +
      "--verify=crc32c --verify_fatal=1 --do_verify=1 --output-format=terse";
    const { exitCode, stdout, stderr } = await guest.run(load, { timeoutMs: 180_000 });
    assert.equal(exitCode, 0, `${stdout}${stderr}`);
  }
  await libvirtd.virsh("destroy", "siphon");
  assert.deepEqual(await states(), []);
  assert.equal(await run("rbd", ["-c", ceph.conf, "lock", "ls", "libvirt-pool/vm1"]), "");
});

test("the domain is converted back to the original", async () => {
  await convert("siphon", "--to", "rbd", "--write");
  assert.equal(await libvirtd.virsh("dumpxml", "--inactive", "siphon"), original);
  await libvirtd.virsh("undefine", "siphon");
});

test("a domain whose disk cannot be attached does not start, and libvirt reports the reason", async () => {
  const file = join(directory, "missing.xml");
  writeFileSync(file, await guestDomain(vmDirectory, [rbdDisk("missing")]));
  await convert(file, "--write");
  await assert.rejects(libvirtd.virsh("create", file), /there is no image libvirt-pool\/missing/);
  assert.deepEqual(await states(), []);
});

test("the notes of a Proxmox VM list the disks that its hookscript attaches and detaches", async () => {
  const config = join(directory, "qemu-server");
  mkdirSync(config);
  writeFileSync(
    join(config, "100.conf"),
    "#a VM of ours\n#siphon image=libvirt-pool/vm1 limit=iops=100\ncores: 2\nmemory: 512\n\n[old]\n#siphon image=libvirt-pool/other\n",
  );
  const [program, ...call] = attachCommand();
  const hook = (phase: string) =>
    run(program!, [
      ...[...call, "hook", "proxmox", "100", phase],
      ...["--config", config, "--control", places.control],
    ]);
  await hook("pre-start");
  await hook("post-start");
  assert.deepEqual(await states(), ["vm-100-0 serving"]);
  assert.equal((await attachd.ask("show", "vm-100-0")).limits, "iops=100");
  await hook("post-stop");
  assert.deepEqual(await states(), []);
});
