import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { host, type LocalCluster } from "@siphon/lab";
import { Libvirtd } from "../attach/libvirtd.ts";

/**
 * A domain of type qemu in a private libvirtd, with a network disk on RBD and the key as a libvirt secret. It boots
 * nothing.
 */
export class LibvirtVm implements AsyncDisposable {
  readonly name = "siphon-web";
  readonly #libvirtd: Libvirtd;

  static async start(directory: string, ceph: LocalCluster, image: string): Promise<LibvirtVm> {
    mkdirSync(directory, { mode: 0o755 });
    const libvirtd = await Libvirtd.start(directory, host);
    try {
      const vm = new LibvirtVm(libvirtd);
      await vm.#define(directory, ceph, image);
      return vm;
    } catch (error) {
      await libvirtd[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(libvirtd: Libvirtd) {
    this.#libvirtd = libvirtd;
  }

  xml(): Promise<string> {
    return this.#libvirtd.virsh("dumpxml", this.name);
  }

  async #define(directory: string, ceph: LocalCluster, image: string): Promise<void> {
    const uuid = "0f5c1b8e-6a52-4e2b-9d63-0a8c1d2e3f40";
    const secret = join(directory, "secret.xml");
    writeFileSync(
      secret,
      `<secret ephemeral='no' private='yes'><uuid>${uuid}</uuid><usage type='ceph'><name>client.libvirt</name></usage></secret>`,
    );
    await this.#libvirtd.virsh("secret-define", secret);
    const { user } = ceph.spec;
    const keyFile = join(directory, "key");
    const keyring = readFileSync(join(ceph.conf, `../client.${user}.keyring`), "utf8");
    const [, key] = /key = (\S+)/.exec(keyring)!;
    writeFileSync(keyFile, key!, { mode: 0o600 });
    await this.#libvirtd.virsh("secret-set-value", uuid, "--file", keyFile);
    const [, port] = /\[v2:127\.0\.0\.1:(\d+)/.exec(readFileSync(ceph.conf, "utf8"))!;
    const file = join(directory, "web.xml");
    writeFileSync(
      file,
      `<domain type='qemu'>
  <name>${this.name}</name>
  <memory unit='MiB'>128</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='network' device='disk'>
      <driver name='qemu' type='raw' discard='unmap'/>
      <auth username='${user}'><secret type='ceph' uuid='${uuid}'/></auth>
      <source protocol='rbd' name='${ceph.spec.pool}/${image}'><host name='127.0.0.1' port='${port}'/></source>
      <target dev='vda' bus='virtio'/>
    </disk>
    <memballoon model='none'/>
  </devices>
</domain>`,
    );
    await this.#libvirtd.virsh("create", file).catch((cause) => {
      throw new Error(`${cause.message}\n${this.#libvirtd.qemuLog(this.name)}`, { cause });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#libvirtd[Symbol.asyncDispose]();
  }
}
