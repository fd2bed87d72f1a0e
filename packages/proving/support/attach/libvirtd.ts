import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Platform } from "@siphon/lab";
import type { NetworkHost } from "../../../lab/src/network/details.ts";
import { kill, run } from "./run.ts";

/**
 * A private libvirtd: its settings, /run and /var are directories in its own mount namespace, which ends with it. It
 * runs QEMU as libvirt's user, as distributions do. KVM is hidden from it: if QEMU can open /dev/kvm but libvirt's user
 * cannot, libvirt considers its cached QEMU capabilities outdated and probes QEMU each time.
 */
export class Libvirtd implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #platform: Platform;

  /**
   * @param directory a directory that other users may enter
   * @param onHost the host that it is on (default: this machine); two libvirtds migrate only between different hosts
   */
  static async start(directory: string, platform: Platform, onHost?: NetworkHost): Promise<Libvirtd> {
    const settings = join(directory, "etc");
    cpSync(platform.file("/etc/libvirt"), settings, { recursive: true });
    appendFileSync(join(settings, "libvirtd.conf"), '\nauth_unix_rw = "none"\n');
    if (onHost) appendFileSync(join(settings, "libvirtd.conf"), `host_uuid = "${randomUUID()}"\n`);
    // Do not use virtlogd.
    appendFileSync(join(settings, "qemu.conf"), '\nstdio_handler = "file"\n');
    for (const each of ["run", "var", "var/log", "var/lib", "var/cache", "var/tmp"]) {
      mkdirSync(join(directory, each), { mode: 0o755 });
    }
    const { command, args, env } = platform.command("libvirtd", [], { cwd: "/" });
    const script = [
      ...(onHost ? [`hostname ${onHost.name}`] : []),
      ...['mount --bind "$1/etc" "$2"', 'mount --bind "$1/run" /run', 'mount --bind "$1/var" /var'],
      ...(existsSync("/dev/kvm") ? ['mount --bind "$1/no-kvm" /dev/kvm'] : []),
      'shift 2; exec "$@"',
    ].join("; ");
    writeFileSync(join(directory, "no-kvm"), "", { mode: 0 });
    // libvirt builds a private /dev for each domain by moving the mounts there, and a file cannot be moved onto a
    // device.
    if (existsSync("/dev/kvm")) appendFileSync(join(settings, "qemu.conf"), "namespaces = []\n");
    const own = ["sh", "-ec", script, "libvirtd", directory, platform.file("/etc/libvirt")];
    const log = openSync(join(directory, "libvirtd.log"), "w");
    const network = onHost ? ["nsenter", `--net=/run/netns/${onHost.namespace}`] : [];
    const namespaces = onHost ? ["--mount", "--uts"] : ["--mount"];
    const [first, ...words] = [...network, "unshare", ...namespaces, ...own, command, ...args];
    const child = spawn(first!, words, {
      stdio: ["ignore", log, log],
      // A service's PATH: libvirt takes the first QEMU in it, which libvirt's user must be able to run.
      env: { ...process.env, PATH: systemPath, ...env },
    });
    const libvirtd = new Libvirtd(child, directory, platform);
    for (let tries = 0; ; tries++) {
      if (child.exitCode !== null) throw new Error(`libvirtd ended: ${libvirtd.log}`);
      if (existsSync(libvirtd.#socket) && (await libvirtd.virsh("version").catch(() => undefined))) break;
      if (tries === 600) throw new Error(`libvirtd does not answer: ${libvirtd.log}`);
      await pause(100);
    }
    return libvirtd;
  }

  private constructor(child: ChildProcess, directory: string, platform: Platform) {
    this.#child = child;
    this.#directory = directory;
    this.#platform = platform;
  }

  get log(): string {
    return readFileSync(join(this.#directory, "libvirtd.log"), "utf8").slice(-3000);
  }

  /** QEMU's log of a domain. */
  qemuLog(domain: string): string {
    return readFileSync(join(this.#directory, "var/log/libvirt/qemu", `${domain}.log`), "utf8").slice(-3000);
  }

  get uri(): string {
    return `qemu+unix:///system?mode=legacy&socket=${this.#socket}`;
  }

  /** A command that runs where it runs: with its /run, and on its host. */
  inside(command: readonly string[]): string[] {
    return ["nsenter", "--mount", "--net", "--uts", "--target", String(this.#child.pid), "--", ...command];
  }

  virsh(...words: string[]): Promise<string> {
    const { command, args, env } = this.#platform.command("virsh", ["-q", "-c", this.uri, ...words], {
      cwd: "/",
    });
    // Before starting its first domain, it probes every installed QEMU.
    return run(command, args, undefined, { env, timeout: 400_000 });
  }

  /** Ends its domains and itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    const domains = await this.virsh("list", "--name").catch(() => "");
    for (const domain of domains.split("\n").filter(Boolean))
      await this.virsh("destroy", domain).catch(() => {});
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
      const hung = setTimeout(() => void kill(this.#child), 10_000);
      await once(this.#child, "exit");
      clearTimeout(hung);
    }
  }

  get #socket(): string {
    return join(this.#directory, "run/libvirt/libvirt-sock");
  }
}

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
