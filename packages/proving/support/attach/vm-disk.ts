import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createImage, type Disk, LocalCluster, qemuDefaults, resizeImage, smallGuest, Vm } from "@siphon/lab";
import { SiphonAttach } from "./siphon-attach.ts";
import type { Transport } from "./survival.ts";
import { qemu } from "./test-qemu.ts";

const MiB = 1 << 20;
const pool = "libvirt-pool";
const images = ["disk", "second"] as const;
/** Sizes of the images in bytes: initially, and after they have grown. */
export const sizes = [64 * MiB, 96 * MiB] as const;

/** An image that is the disk of a VM of the QEMU under test. */
export interface VmDisk {
  readonly directory: string;
  socketOf(image: (typeof images)[number]): string;
}

/** The tests of a VM's disk, for any QEMU: two images served by one process, the first of them the disk of a VM. */
export function testVmDisk(transport: Transport): VmDisk {
  const directory = mkdtempSync(join(tmpdir(), `siphon-${transport}-qemu-`));
  chmodSync(directory, 0o755);
  process.env.SIPHON_STATE_DIR = join(directory, "state");
  const socketOf = (image: string): string => join(directory, `${image}.sock`);
  const settings = {
    ...qemuDefaults,
    device: "virtio-blk",
    syntax: "blockdev",
    cache: "none",
    queues: 2,
  } as const;

  let ceph: LocalCluster;
  let server: SiphonAttach;
  let vm: Vm;

  before(async () => {
    const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
    // The lock of a killed server blocks the next one for this long.
    ceph = await LocalCluster.up({ name: transport, ...spec, settings: { osd_client_watch_timeout: 5 } });
    for (const image of images) await createImage(ceph.admin, { image, size: sizes[0] });
    server = await serve();
    vm = await Vm.start({
      ...{ guest: await smallGuest(), settings, disk: diskAt("disk"), accelerator: "tcg", qemu },
      hotPlug: true,
    });
  });

  after(async () => {
    await vm?.shutdown();
    await server?.kill();
    await ceph?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  function serve(): Promise<SiphonAttach> {
    const sockets = images.flatMap((image) => [`--${transport}`, socketOf(image)]);
    return SiphonAttach.start(...images.map((image) => `${pool}/${image}`), ...sockets, "--conf", ceph.conf);
  }

  function diskAt(image: string): Disk {
    const socket = socketOf(image);
    if (transport === "vhost") return { type: "vhost-user", socket };
    return { type: "nbd", socket, export: `${pool}/${image}`, reconnectDelay: 60, discard: "unmap" };
  }

  /** Runs a command in the guest that must succeed. */
  async function run(command: string): Promise<string> {
    const { exitCode, stdout, stderr } = await vm.run(command, { timeoutMs: 150_000 });
    assert.equal(exitCode, 0, `${command}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Writes, then reads everything back; fails on an error or a mismatching block. */
  const verified = (device: string, megabytes: number): Promise<string> =>
    run(
      `fio --name=v --filename=${device} --rw=randwrite --bs=16k --size=${megabytes}m --iodepth=32 --ioengine=libaio --direct=1 ` +
        `--verify=crc32c --verify_fatal=1 --do_verify=1 --output-format=terse`,
    );

  const bytesOf = async (device: string): Promise<number> =>
    Number(await run(`blockdev --getsize64 ${device}`));

  test("a VM boots with the disk, and reads what it wrote", async () => {
    assert.equal(await bytesOf("/dev/vda"), sizes[0]);
    await verified("/dev/vda", 16);
  });

  test("discarded bytes are zeros", async () => {
    await run(
      "tr '\\0' x </dev/zero | dd of=/dev/vda bs=1M count=3 oflag=direct iflag=fullblock 2>/dev/null",
    );
    await run("blkdiscard -o 1048576 -l 1048576 /dev/vda");
    const left = await run("dd if=/dev/vda bs=1M count=3 iflag=direct 2>/dev/null | tr -d '\\0' | wc -c");
    assert.equal(Number(left), 2 * MiB);
  });

  test("a VM that is stopped under load continues", async () => {
    const writes = verified("/dev/vda", 8);
    await vm.qmp.execute("stop");
    await pause(500);
    await vm.qmp.execute("cont");
    await writes;
  });

  test("a server that is killed under load and restarted only pauses the VM", async () => {
    const writes = verified("/dev/vda", 32);
    await pause(1000);
    await server.kill();
    server = await serve();
    await writes;
    assert.equal(await run("dmesg | grep -ci 'error.*vda' || true"), "0\n");
  });

  test("a second disk is plugged in, used and removed, and has its new size when it is plugged in again", async () => {
    for (const size of sizes) {
      await resizeImage(ceph.admin, { image: "second", size });
      const plugged = await vm.plug(diskAt("second"), { cache: "none", iothread: false, queues: 2 });
      assert.equal(await bytesOf(plugged.device), size);
      await verified(plugged.device, 4);
      await plugged.unplug();
    }
  });

  if (transport === "vhost") {
    test("the guest sees the disk grow", async () => {
      await resizeImage(ceph.admin, { image: "disk", size: sizes[1] });
      await run(
        `for i in $(seq 100); do [ "$(blockdev --getsize64 /dev/vda)" = ${sizes[1]} ] && exit 0; sleep 0.1; done; exit 1`,
      );
      await run(
        `dd if=/dev/zero of=/dev/vda bs=64k count=1 seek=${(80 * MiB) / 65536} oflag=direct 2>/dev/null`,
      );
    });
  }

  return { directory, socketOf };
}
