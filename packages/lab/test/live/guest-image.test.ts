import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { attachImages } from "@siphon/attach";
import { Cluster } from "@siphon/rados";
import { LocalCluster } from "../../src/cluster/local-cluster.ts";
import { LabError } from "../../src/errors.ts";
import { fioCommandLine } from "../../src/fio/command.ts";
import { parseFio } from "../../src/fio/result.ts";
import { buildGuestImage, exportGuestImage } from "../../src/guest/debian/image.ts";
import type { GuestImageFiles } from "../../src/guest/image-files.ts";
import { imageGuest } from "../../src/guest/image-guest.ts";
import { benchmarkPartition, type GuestDevice } from "../../src/guest/partition/benchmark-partition.ts";
import { run } from "../../src/host/command.ts";
import { pidsWithEnvironment } from "../../src/host/proc.ts";
import { createImage } from "../../src/image/image.ts";
import { importImage } from "../../src/image/import.ts";
import { type ImageServer, serveImage } from "../../src/serve/image-server.ts";
import type { Transport } from "../../src/serve/server-process.ts";
import { RESOURCE_VARIABLE } from "../../src/state/resource.ts";
import { qemuDefaults, type VmSettings } from "../../src/vm/settings.ts";
import { Vm, type VmOptions } from "../../src/vm/vm.ts";
import { TestStateDir } from "../support/state-dir.ts";

const GIB = 1024 ** 3;
const state = new TestStateDir();
let built: GuestImageFiles;
let cluster: LocalCluster;
/** The partition that the first boot from RBD makes. */
let partition: GuestDevice;

before(async () => {
  built = await buildGuestImage({ size: 2 * GIB });
  cluster = await LocalCluster.up({ name: "g", osds: 1, store: "memstore", auth: "cephx" });
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

const fails = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof LabError && error.code === code && message.test(error.message);

/** Programs started for VMs and builds, besides the cluster. */
const running = () =>
  pidsWithEnvironment(RESOURCE_VARIABLE, (dir) => /^\/(vms|work)\//.test(dir.replace(state.dir, "")));

/** A cache of its own, in which nothing has been built. */
async function withCache<T>(name: string, work: (cache: string) => Promise<T>): Promise<T> {
  const before = process.env.SIPHON_CACHE_DIR;
  const cache = join(state.dir, name);
  mkdirSync(cache, { recursive: true });
  process.env.SIPHON_CACHE_DIR = cache;
  try {
    return await work(cache);
  } finally {
    if (before === undefined) delete process.env.SIPHON_CACHE_DIR;
    else process.env.SIPHON_CACHE_DIR = before;
  }
}

/** Files that a failed build has left in its cache, besides the ssh key. */
const left = (cache: string) =>
  readdirSync(cache, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.parentPath.endsWith("/ssh"))
    .map(({ name }) => name);

/** Boots the guest in an image file from that file's copy in RBD. */
async function bootFromRbd(file: string, settings: VmSettings): Promise<Vm> {
  const guest = await imageGuest(file, { letIn: "key" });
  const { path: conf } = await cluster.clientConf("vm", {});
  return Vm.start({
    ...{ guest, settings, accelerator: "tcg", memoryMiB: 768 },
    disk: { type: "rbd", pool: cluster.client.pool, image: "guest", user: cluster.spec.user, conf },
    ...(await guest.equipment()),
  });
}

async function clientOf(): Promise<{ conf: string; user: string }> {
  const { path: conf } = await cluster.clientConf("siphon", {});
  return { conf, user: cluster.spec.user };
}

/** The guest's image in RBD, served by siphon's own client. */
async function served(transport: Transport): Promise<ImageServer> {
  return serveImage({ pool: cluster.client.pool, image: "guest", ...(await clientOf()) }, transport);
}

/** Boots the guest, its kernel loaded by QEMU, from a root disk that is served. */
async function bootServed({ disk }: ImageServer, settings: VmSettings): Promise<Vm> {
  const guest = await imageGuest(built.disk, { letIn: "key" });
  return Vm.start({
    ...{ guest, settings, disk, accelerator: "tcg", memoryMiB: 768 },
    ...(await guest.equipment()),
  });
}

/** Has the guest turn itself off; then its file system needs no recovery, and has no error. */
async function powerOff(vm: Vm, server: ImageServer): Promise<void> {
  const disk = vm.device.replace("/dev/", "");
  const { stdout: start } = await vm.run(`cat /sys/block/${disk}/${disk}1/start`);
  const gone = once(vm.failed, "abort");
  await vm.run("systemctl poweroff");
  await gone;
  await server[Symbol.asyncDispose]();
  const file = join(state.dir, "powered-off.raw");
  await cluster.client.rbd(["export", "--no-progress", cluster.client.spec("guest"), file]);
  const { stdout } = await run("e2fsck", ["-f", "-n", `${file}?offset=${Number(start) * 512}`]);
  assert.doesNotMatch(stdout, /recover/);
  rmSync(file);
}

test("a guest that was built boots from RBD by its own boot loader and is driven over ssh", async () => {
  // Under this name its kernel is not found beside it: firmware and GRUB must do.
  const file = join(state.dir, "alone.qcow2");
  await copyFile(built.disk, file);
  await importImage(cluster.client, { image: "guest", file, size: 3 * GIB });
  await using vm = await bootFromRbd(file, { ...qemuDefaults, device: "virtio-blk", iothread: true });
  assert.deepEqual(await vm.run("echo out; echo err >&2; exit 255"), {
    ...{ exitCode: 255, stdout: "out\n", stderr: "err\n" },
  });
  await assert.rejects(vm.run("sleep 100", { timeoutMs: 1_000 }), fails("SIPHON_TIMEOUT", /sleep 100/));
  assert.match((await vm.run("findmnt -no SOURCE,FSTYPE /")).stdout, /^\/dev\/vda1 +ext4\n$/);
  partition = await benchmarkPartition(vm);
  assert.equal(partition.path, "/dev/vda2");
  assert.ok(partition.bytes > 0.9 * GIB && partition.bytes <= GIB);
  assert.deepEqual(await benchmarkPartition(vm), partition);
  assert.equal((await vm.run("rm /usr/sbin/mkfs.xfs && sync")).exitCode, 0);
});

test("as an IDE disk that siphon serves, its kernel loaded by QEMU, it has the same partition, fio, and what it lost from this host", async () => {
  await using server = await served("nbd");
  await using vm = await bootServed(server, qemuDefaults);
  const { path, bytes } = await benchmarkPartition(vm);
  assert.deepEqual({ path, bytes }, { path: "/dev/sda2", bytes: partition.bytes });
  const job = { filename: path, rw: "randread", blockSize: 16_384, ioDepth: 128 } as const;
  const said = await vm.run(fioCommandLine({ ...job, size: 256 << 20, seconds: 2 }));
  assert.ok(parseFio(said, { seconds: 2 }).iops > 0);
  const made = await vm.run(`mkfs.xfs -q ${path} && blkid -o value -s TYPE ${path}`);
  assert.equal(made.stdout, "xfs\n", made.stderr);
  await powerOff(vm, server);
});

/** Connects the guest's /dev/nbd0 to an export at the host's loopback, as nbd-client does: handshake, then the kernel has the socket. */
const kernelNbdClient = (port: number, name: string) => `
use Socket;
socket(S, PF_INET, SOCK_STREAM, 0) && connect(S, sockaddr_in(${port}, inet_aton("10.0.2.2"))) or die;
sub take { my $b = ""; while (length $b < $_[0]) { sysread(S, $b, $_[0] - length $b, length $b) or die "end" } $b }
take(18);
syswrite(S, pack("N", 3));
my $go = pack("N a* n", length "${name}", "${name}", 0);
syswrite(S, "IHAVEOPT" . pack("N N a*", 7, length $go, $go));
my ($size, $flags, $type);
do {
  my (undef, undef, undef, $t, $length) = unpack("N5", take(20));
  my $data = take($length);
  ($size, $flags) = unpack("x2 Q> n", $data) if $t == 3 && unpack("n", $data) == 0;
  die "refused" if $t >= 0x80000000;
  $type = $t;
} while ($type != 1);
open(D, "+<", "/dev/nbd0") or die;
for ([0xab01, 4096], [0xab07, $size / 4096], [0xab0a, $flags], [0xab00, fileno(S) + 0]) {
  defined ioctl(D, $_->[0], $_->[1]) or die "ioctl $_->[0]: $!";
}
ioctl(D, 0xab03, 0) unless fork;
`;

test("its root disk served by siphon over vhost-user-blk is whole after power-off; its kernel speaks NBD with siphon", async () => {
  const { pool } = cluster.client;
  const { conf, user } = await clientOf();
  await using client = await Cluster.connect({ conf, name: `client.${user}`, env: {} });
  await createImage(cluster.client, { image: "data", size: 256 << 20 });
  const data = { pool, namespace: "", image: "data", snapshot: undefined };
  const nbd = [{ host: "127.0.0.1", port: 0 }];
  await using attachment = await attachImages({ cluster: client, images: [data], nbd });
  const { point } = attachment.points[0]!;
  assert.ok(point.kind === "nbd" && "port" in point.address);
  await using server = await served("vhost");
  await using vm = await bootServed(server, { ...qemuDefaults, device: "virtio-blk" });
  const inGuest = async (command: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await vm.run(command);
    assert.equal(exitCode, 0, `${command}: ${stdout}${stderr}`);
    return stdout;
  };
  assert.match(await inGuest("findmnt -no SOURCE,FSTYPE /"), /^\/dev\/vda1 +ext4\n$/);
  const script = Buffer.from(kernelNbdClient(point.address.port, `${pool}/data`)).toString("base64");
  await inGuest(`modprobe nbd && echo ${script} | base64 -d > /root/nbd.pl`);
  await inGuest("perl /root/nbd.pl </dev/null >/dev/null 2>&1");
  const onNbd = "mount /dev/nbd0 /mnt && cp -a /usr/bin /mnt/ && umount /mnt";
  await inGuest(`mkfs.ext4 -q /dev/nbd0 && ${onNbd} && e2fsck -fn /dev/nbd0`);
  await inGuest("cp -a /usr/bin /root/copy && diff -r --no-dereference /usr/bin /root/copy");
  await powerOff(vm, server);
});

test("a cached image is not built again, and a copy does not overwrite a file", async () => {
  const { mtimeMs } = statSync(built.disk);
  assert.deepEqual(await buildGuestImage({ size: 2 * GIB }), built);
  assert.equal(statSync(built.disk).mtimeMs, mtimeMs);
  const file = join(state.dir, "copy.qcow2");
  const copy = await exportGuestImage(built, file);
  assert.deepEqual(Object.values(copy).map(existsSync), [true, true, true]);
  await assert.rejects(exportGuestImage(built, file), fails("SIPHON_REFUSED", /copy.qcow2 is there already/));
});

/** Boots the guest from a disk on which it is not. */
const bootFromNothing = async (options: Partial<VmOptions>) => {
  const guest = await imageGuest(built.disk);
  return Vm.start({
    ...{ guest, settings: qemuDefaults, accelerator: "tcg", disk: { type: "null", size: GIB } },
    ...(await guest.equipment()),
    ...options,
  });
};

test("a guest that does not come up is given up when its time is over, and QEMU is ended", async () => {
  await assert.rejects(
    bootFromNothing({ bootTimeoutMs: 2_000 }),
    fails("SIPHON_GUEST", /did not answer within 2 s/),
  );
  assert.deepEqual(running(), []);
});

test("QEMU's death while ssh is waited for ends the wait at once", async () => {
  const booting = bootFromNothing({ name: "doomed" });
  booting.catch(() => {});
  let pids: string[] = [];
  while (pids.length === 0) {
    const { stdout } = await run("pgrep", ["-f", "qemu-system-x86_64 -name doomed,"], { anyExitCode: true });
    pids = stdout.split("\n").filter(Boolean);
  }
  process.kill(Number(pids[0]), "SIGKILL");
  await assert.rejects(booting, fails("SIPHON_VM", /ended by SIGKILL/));
  assert.deepEqual(running(), []);
});

test("a build that is interrupted leaves no process and no file", async () => {
  await withCache("aborted", async (cache) => {
    const abort = new AbortController();
    const building = buildGuestImage({
      signal: abort.signal,
      onProgress: (text) => {
        if (/extracting/.test(text)) abort.abort(new Error("interrupted"));
      },
    });
    await assert.rejects(building, /interrupted/);
    assert.deepEqual(left(cache), []);
    assert.deepEqual(running(), []);
    assert.deepEqual(readdirSync(join(state.dir, "work")), []);
  });
});

test("a mirror that cannot be reached is named", async () => {
  await withCache("offline", async (cache) => {
    const mirror = "http://127.0.0.1:9/debian";
    await assert.rejects(buildGuestImage({ mirror }), (error) => {
      assert.ok(error instanceof LabError && error.code === "SIPHON_PROGRAM_FAILED");
      assert.match(
        error.message,
        /cannot get the packages of a guest image from http:\/\/127\.0\.0\.1:9\/debian/,
      );
      return /--mirror/.test(error.hint ?? "");
    });
    assert.deepEqual(left(cache), []);
  });
});

const root = process.getuid?.() === 0;

test("a cache without room is noticed before anything is built", {
  skip: !root && "needs root",
}, async () => {
  await withCache("full", async (cache) => {
    await run("mount", ["-t", "tmpfs", "-o", "size=64M", "tmpfs", cache]);
    try {
      await assert.rejects(
        buildGuestImage(),
        fails("SIPHON_NO_SPACE", /needs 2 GiB in .*, of which 0\.1 are free/),
      );
    } finally {
      await run("umount", [cache]);
    }
  });
});

test("without root and subordinate ids it says what would help", {
  skip: !root && "needs root",
}, async () => {
  const module = join(import.meta.dirname, "../../src/guest/debian/root-file-system.ts");
  const script = `
    import { findPrivilege } from ${JSON.stringify(module)};
    // Nobody else may be able to read the checkout.
    process.setgroups([]);
    process.setgid(65534);
    process.setuid(65534);
    await findPrivilege().catch((error) => console.log(error.code, error.hint));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script]);
  assert.match(stdout, /^SIPHON_PERMISSION .*uidmap/);
});
