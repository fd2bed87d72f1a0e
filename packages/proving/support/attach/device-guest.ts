import { copyFileSync, cpSync, mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type LocalCluster, qemuDefaults, smallGuest, Vm } from "@siphon/lab";
import { builtProgram } from "../../../../scripts/build/built-program.ts";
import { root } from "../../../../scripts/build/checkout.ts";
import { hostProgram } from "../../../lab/src/guest/programs.ts";
import type { Network } from "../../../lab/src/network/network.ts";
import { run } from "./run.ts";

/** The output of a command in the guest, and its exit code. */
export interface Said {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A small guest on a network with a cluster, which runs siphon: its kernel has the NBD driver, which the host's may
 * lack.
 */
export class DeviceGuest implements AsyncDisposable {
  readonly vm: Vm;

  static async start(directory: string, network: Network, ceph: LocalCluster): Promise<DeviceGuest> {
    const disk = join(directory, "siphon.ext4");
    await makeDisk(join(directory, "siphon"), disk, ceph.conf);
    const tap = await network.addTap("guest");
    const bits = network.subnet.split("/")[1];
    const vm = await Vm.start({
      guest: await smallGuest(),
      settings: { ...qemuDefaults, device: "virtio-blk", syntax: "blockdev" },
      disk: { type: "file", path: disk, format: "raw", readOnly: true },
      accelerator: "tcg",
      memoryMiB: 1536,
      network: { type: "tap", device: tap.interface, address: `${tap.address}/${bits}` },
    });
    const guest = new DeviceGuest(vm);
    await guest.does(`mkdir -p ${place} && mount -o ro -t ext4 ${vm.device} ${place}`);
    return guest;
  }

  private constructor(vm: Vm) {
    this.vm = vm;
  }

  run(command: string): Promise<Said> {
    return this.vm.run(command, { timeoutMs: 300_000 });
  }

  /** Runs a command that must succeed, and returns its output. */
  async does(command: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(command);
    if (exitCode === 0) return stdout.trim();
    const kernel = (await this.run("dmesg | tail -n 20")).stdout;
    throw new Error(`${command} ended with ${exitCode}: ${stdout}${stderr}\n${kernel}`);
  }

  /** A command line of siphon's, for `run` and `does`. */
  siphon(words: string): string {
    return `LD_LIBRARY_PATH=${place} ${place}/node ${place}/siphon.cjs rbd --conf ${place}/ceph.conf --keyring ${place}/keyring ${words}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vm[Symbol.asyncDispose]();
  }
}

const place = "/opt/siphon";

/** A file system with the built siphon, Node, and the client's configuration and key. */
async function makeDisk(tree: string, disk: string, conf: string): Promise<void> {
  mkdirSync(tree);
  const program = builtProgram();
  for (const name of ["siphon.cjs", "siphon.pack"])
    copyFileSync(join(dirname(program), name), join(tree, name));
  copyFileSync(process.execPath, join(tree, "node"));
  const { files } = await hostProgram(process.execPath);
  for (const file of files.slice(1)) copyFileSync(file, join(tree, basename(file)));
  for (const name of ["koffi", `@koromix/koffi-linux-${process.arch}`]) {
    cpSync(join(root, "node_modules", name), join(tree, "node_modules", name), { recursive: true });
  }
  copyFileSync(conf, join(tree, "ceph.conf"));
  copyFileSync(join(dirname(conf), "client.admin.keyring"), join(tree, "keyring"));
  await run("mkfs.ext4", ["-q", "-O", "^has_journal", "-d", tree, disk, "400M"]);
}
