import assert from "node:assert/strict";
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { qemuDefaults, smallGuest, Vm, type VmSettings } from "@siphon/lab";

const directory = mkdtempSync(join(tmpdir(), "siphon-vhost-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");

const settings: VmSettings = { ...qemuDefaults, device: "virtio-blk", queues: 2 };
const socket = join(directory, "disk.sock");
const file = join(directory, "disk.raw");
const size = 512 << 20;
const pluggableMemoryMiB = 256;

let server: ChildProcess;
let vm: Vm;

before(async () => {
  writeFileSync(file, "");
  await truncate(file, size);
  server = await serve();
  vm = await Vm.start({
    guest: await smallGuest(),
    settings,
    disk: { type: "vhost-user", socket },
    accelerator: "tcg",
    pluggableMemoryMiB,
  });
});

after(async () => {
  await vm?.shutdown();
  if (server !== undefined) await end(server, "SIGTERM");
  rmSync(directory, { recursive: true, force: true });
});

async function serve(): Promise<ChildProcess> {
  const child = fork(new URL("../../support/attach/serve-file.ts", import.meta.url), [socket, file]);
  const [said] = await Promise.race([once(child, "message"), once(child, "exit")]);
  assert.equal(said, "listening", "the server ended");
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/** Numbers of operations that the server has seen, by kind. */
async function operations(sized = size): Promise<number[]> {
  server.send(sized);
  const [counts] = await once(server, "message");
  return counts;
}

/** Runs a command in the guest; fails unless the command succeeds. */
async function run(command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await vm.run(command, { timeoutMs: 240_000 });
  assert.equal(exitCode, 0, `${command}: ${stdout}${stderr}`);
  return stdout;
}

test("a guest finds the disk with its size, its name, its queues and its limits", async () => {
  const queue = "/sys/block/vda/queue";
  const said = await run(
    `blockdev --getsize64 /dev/vda; cat /sys/block/vda/serial; echo; ls /sys/block/vda/mq | wc -l; ` +
      `cat ${queue}/logical_block_size ${queue}/optimal_io_size ${queue}/discard_max_bytes ${queue}/write_zeroes_max_bytes ${queue}/write_cache`,
  );
  assert.deepEqual(said.trim().split("\n"), [
    String(size),
    "a-file",
    "2",
    "512",
    String(4 << 20),
    String(32 << 20),
    String(32 << 20),
    "write back",
  ]);
});

test("fio reads what it wrote, in many sizes at once", async () => {
  await run(
    "fio --name=v --filename=/dev/vda --rw=randwrite --bsrange=512-512k --bs_unaligned=0 --size=64m --iodepth=32 --ioengine=libaio " +
      "--direct=1 --verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=7 --output-format=terse",
  );
});

test("discarded bytes are read as zeros", async () => {
  await run("tr '\\0' x </dev/zero | dd of=/dev/vda bs=1M count=3 oflag=direct iflag=fullblock 2>/dev/null");
  await run("blkdiscard -o 1048576 -l 1048576 /dev/vda");
  const zeros = async (megabyte: number): Promise<number> =>
    Number(
      await run(`dd if=/dev/vda bs=1M skip=${megabyte} count=1 iflag=direct 2>/dev/null | tr -d x | wc -c`),
    );
  assert.deepEqual(await Promise.all([0, 1, 2].map(zeros)), [0, 1 << 20, 0]);
});

test("XFS and ext4 are intact after the guest has created and filled them", async () => {
  await run("mkfs.xfs -q -f /dev/vda && mount -t xfs /dev/vda /mnt && cp -a /bin /mnt/ && umount /mnt");
  assert.equal(spawnSync("xfs_repair", ["-n", "-f", file]).status, 0);
  const [, , flushes, discards, zeroings] = await operations();
  assert.ok(flushes! > 0 && discards! > 0 && zeroings! > 0, "mkfs.xfs discards the disk and zeroes its log");
  await run("dd if=/dev/zero of=/dev/vda bs=1M count=1 oflag=direct 2>/dev/null");
  assert.equal(spawnSync("mkfs.ext4", ["-q", "-F", file]).status, 0);
  await run(
    "blockdev --flushbufs /dev/vda; mount -t ext4 -o discard /dev/vda /mnt && cp -a /bin /mnt/ && rm -r /mnt/bin/b* && umount /mnt",
  );
  const checked = spawnSync("e2fsck", ["-f", "-n", file], { encoding: "utf8" });
  assert.equal(checked.status, 0, checked.stdout);
});

test("a server that is killed and restarted only pauses the guest, and nothing is lost", async () => {
  const verified = run(
    "fio --name=v --filename=/dev/vda --rw=randwrite --bs=4k --size=64m --iodepth=32 --ioengine=libaio --direct=1 " +
      "--verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=11 --output-format=terse",
  );
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  void verified.then(over, over);
  for (let kills = 0; kills < 3 && !isOver; kills++) {
    // QEMU 7.2 never reconnects if the server goes away while QEMU sets up the disk.
    for (let tries = 0; !isOver && (await operations()).every((count) => count === 0); tries++) {
      assert.ok(tries < 1200, "QEMU does not come back");
      await pause(100);
    }
    await pause(Math.random() * 500);
    await end(server, "SIGKILL");
    server = await serve();
  }
  await verified;
  assert.equal(await run("dmesg | grep -ci 'error.*vda' || true"), "0\n");
});

test("a server that is stopped first completes all requests", async () => {
  const written = run("dd if=/dev/zero of=/dev/vda bs=64k count=512 oflag=direct 2>/dev/null");
  await end(server, "SIGTERM");
  server = await serve();
  await written;
});

test("the guest sees the disk grow", async () => {
  await operations(size * 2);
  const grown = `for i in $(seq 100); do [ "$(blockdev --getsize64 /dev/vda)" = ${size * 2} ] && exit 0; sleep 0.1; done; exit 1`;
  await run(grown);
  await run(`dd if=/dev/zero of=/dev/vda bs=64k count=1 seek=${size / 65536 + 5} oflag=direct 2>/dev/null`);
});

test("memory plugged into a running VM can be used for the disk's buffers", async () => {
  const memory = (what: string) => `awk '/^${what}/ {print int($2 / 1024)}' /proc/meminfo`;
  const before = Number(await run(memory("MemTotal")));
  // Little of the VM's original memory is free, so large buffers lie in the plugged memory.
  const free = Number(await run(memory("MemAvailable")));
  await run("mount -t tmpfs -o size=100% tmpfs /mnt");
  await run(`dd if=/dev/zero of=/mnt/filled bs=1M count=${free - 64} 2>/dev/null`);
  const size = pluggableMemoryMiB << 20;
  await vm.qmp.execute("object-add", { "qom-type": "memory-backend-memfd", id: "more", size, share: true });
  await vm.qmp.execute("device_add", { driver: "pc-dimm", id: "dimm", memdev: "more" });
  const states = "/sys/devices/system/memory/*/state";
  await run(
    `for i in $(seq 300); do for state in $(grep -l offline ${states}); do echo online_movable >$state; done; ` +
      `[ $(${memory("MemTotal")}) -gt ${before} ] && exit 0; sleep 0.1; done; exit 1`,
  );
  await run(
    "fio --name=v --filename=/dev/vda --rw=write --bs=1m --size=128m --iodepth=128 --ioengine=libaio --direct=1 " +
      "--verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=9 --output-format=terse",
  );
  await run("umount /mnt");
});
