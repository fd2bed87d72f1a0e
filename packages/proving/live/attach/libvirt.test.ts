import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createImage, LocalCluster } from "@siphon/lab";
import { findAccount } from "../../../attach/src/server/accounts.ts";
import { enterGuest, guestDomain } from "../../support/attach/guest-domain.ts";
import { Libvirtd } from "../../support/attach/libvirtd.ts";
import { SiphonAttach } from "../../support/attach/siphon-attach.ts";
import { qemu } from "../../support/attach/test-qemu.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-libvirt-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");

const user = "libvirt-qemu";
const transports = ["vhost", "nbd"] as const;
type Transport = (typeof transports)[number];
const socketOf = (transport: Transport): string => join(directory, "sockets", `${transport}.sock`);

let ceph: LocalCluster;
let libvirtd: Libvirtd;
const servers = new Map<Transport, SiphonAttach>();

before(async () => {
  chmodSync(directory, 0o755);
  for (const each of ["sockets", "libvirt", "vm"]) mkdirSync(join(directory, each), { mode: 0o755 });
  const account = await findAccount(user);
  assert.ok(account, "libvirt's user is there");
  chownSync(join(directory, "vm"), account.uid, account.gids[0]!);
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
  ceph = await LocalCluster.up({ name: "libvirt", ...spec, settings: { osd_client_watch_timeout: 5 } });
  for (const transport of transports) await createImage(ceph.admin, { image: transport, size: 128 << 20 });
  libvirtd = await Libvirtd.start(join(directory, "libvirt"), qemu);
});

after(async () => {
  await libvirtd?.[Symbol.asyncDispose]();
  for (const server of servers.values()) await server.kill();
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

/** Serves an image, and returns the disk's XML that siphon prints for libvirt. */
async function serve(transport: Transport, ...access: string[]): Promise<Told> {
  const where = [`libvirt-pool/${transport}`, `--${transport}`, socketOf(transport), "--conf", ceph.conf];
  const server = await SiphonAttach.start(...where, ...access);
  servers.set(transport, server);
  const [told] = server.told as unknown as [Told];
  // Each disk of a domain needs its own name.
  return { ...told, libvirt: told.libvirt.replace("dev='vda'", `dev='${diskOf(transport)}'`) };
}

interface Told {
  libvirt: string;
  libvirtHint?: string;
}

const diskOf = (transport: Transport): string => `vd${"ab"[transports.indexOf(transport)]}`;
const vmDirectory = join(directory, "vm");

async function domain(disks: readonly string[]): Promise<string> {
  const file = join(directory, "domain.xml");
  writeFileSync(file, await guestDomain(vmDirectory, disks));
  return file;
}

test("if libvirt's QEMU may not open the socket, attach says so, and virsh does not hang on the printed XML", async () => {
  for (const transport of transports) {
    const { libvirt, libvirtHint } = await serve(transport);
    assert.match(
      libvirtHint ?? "",
      /runs QEMU as the user libvirt-qemu, who may not open .*--socket-user libvirt-qemu/,
    );
    await assert.rejects(libvirtd.virsh("create", await domain([libvirt])), /Permission denied/);
    await servers.get(transport)!.stop();
  }
});

test("the printed XML starts a domain, which survives the end of its vhost-user server, and stops", async () => {
  const disks: string[] = [];
  for (const transport of transports) {
    const { libvirt, libvirtHint } = await serve(transport, "--socket-user", user);
    assert.equal(libvirtHint, undefined);
    disks.push(libvirt);
  }
  await libvirtd.virsh("create", await domain(disks)).catch((cause) => {
    throw new Error(`${cause.message}\n${libvirtd.qemuLog("siphon")}`, { cause });
  });
  await using guest = await enterGuest(vmDirectory);
  const verified = transports.map(async (transport) => {
    const load =
      `fio --name=v --filename=/dev/${diskOf(transport)} --rw=randwrite --bs=16k --size=32m --iodepth=16 --ioengine=libaio --direct=1 ` +
      "--verify=crc32c --verify_fatal=1 --do_verify=1 --output-format=terse";
    const { exitCode, stdout, stderr } = await guest.run(load, { timeoutMs: 180_000 });
    assert.equal(exitCode, 0, `${transport}: ${stdout}${stderr}`);
  });
  await pause(1000);
  // Only the vhost-user server: libvirt 9.0 does not make QEMU reconnect to an NBD server.
  await servers.get("vhost")!.kill();
  await serve("vhost", "--socket-user", user);
  await Promise.all(verified);
  assert.match(await libvirtd.virsh("list", "--name"), /siphon/);
  await libvirtd.virsh("destroy", "siphon");
  assert.doesNotMatch(await libvirtd.virsh("list", "--all", "--name"), /siphon/);
  for (const server of servers.values()) await server.stop();
});
