import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { InventoryInput } from "../../src/deploy/inventory.ts";
import { run } from "../../src/host/command.ts";
import { Daemon } from "../../src/host/daemon.ts";
import { endProcesses } from "../../src/host/signals.ts";
import type { NetworkHost } from "../../src/network/details.ts";
import { Network, onHost } from "../../src/network/network.ts";

/**
 * Hosts that are namespaces of this machine, each with an ssh server that takes one key. They share its processes
 * and files, so each has a directory of its own for what is deployed there.
 */
export class SshHosts implements AsyncDisposable {
  /** Where keys and the hosts' directories are. */
  readonly dir = mkdtempSync(join(tmpdir(), "siphon-hosts-"));
  readonly #network: Network;
  readonly #servers = new Map<string, Daemon>();

  private constructor(network: Network) {
    this.#network = network;
  }

  /** Hosts by name; those with a number keep their directory in a file system of this many bytes. */
  static async start(hosts: Record<string, number | undefined>): Promise<SshHosts> {
    const made = new SshHosts(await Network.create(`hosts-${process.pid}`));
    try {
      await newKey(made.identity);
      for (const [name, room] of Object.entries(hosts)) {
        await made.#network.addHost(name);
        await made.#furnish(name);
        await made.boot(name, room);
      }
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The private key that the servers take. */
  get identity(): string {
    return join(this.dir, "user");
  }

  /** A host's entry in an inventory: its address, its server's key, and its directory. */
  host(name: string): InventoryInput["hosts"][number] {
    const { address } = this.#host(name);
    const hostKey = readFileSync(join(this.dir, `${name}.key.pub`), "utf8").trim();
    return { name, address, hostKey, directory: this.directory(name) };
  }

  /** A host's directory for deployments; nothing makes it before. */
  directory(name: string): string {
    return join(this.dir, name, "deployed");
  }

  /** Runs a program on a host; what it prints. */
  async run(name: string, program: string, args: string[]): Promise<string> {
    return (await run("ip", onHost(this.#host(name), program, args))).stdout;
  }

  /** Processes on a host, besides its ssh server, and files in its directory. */
  async traces(name: string): Promise<string[]> {
    const comm = (pid: number) => readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    const server = this.#servers.get(name)!.pid;
    // The server has mounts of its own; its root is this process's, which may be a chroot.
    const list = ["--target", `${server}`, "--mount", "--root", "ls", "-A", join(this.dir, name)];
    const files = (await run("nsenter", list)).stdout.split("\n").filter(Boolean);
    return [...(await this.#pids(name)).map(comm).filter((program) => program !== "sshd"), ...files];
  }

  /** Ends all that runs on a host at once, its ssh server with it. */
  async kill(name: string): Promise<void> {
    await endProcesses(await this.#pids(name));
  }

  /** Starts a host's ssh server. */
  async boot(name: string, room?: number): Promise<void> {
    const host = this.#host(name);
    const start = [
      // `ip netns exec` gives each host mounts of its own. sshd wants /run/sshd.
      "mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd",
      ...(room === undefined ? [] : [`mount -t tmpfs -o size=${room} tmpfs ${join(this.dir, name)}`]),
      `exec /usr/sbin/sshd -D -e -f ${join(this.dir, name)}.conf`,
    ].join(" && ");
    const daemon = await Daemon.start({
      name: `sshd-${name}`,
      command: "ip",
      args: onHost(host, "sh", ["-c", start]),
      resource: this.#network.resource,
    });
    this.#servers.set(name, daemon);
    await daemon.whileRunning(listening(host.address));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #host(name: string): NetworkHost {
    return this.#network.hosts.find((host) => host.name === name)!;
  }

  async #pids(name: string): Promise<number[]> {
    const { stdout } = await run("ip", ["netns", "pids", this.#host(name).namespace]);
    return stdout.split("\n").filter(Boolean).map(Number);
  }

  /** A host's directory, its server's key and configuration. */
  async #furnish(name: string): Promise<void> {
    const base = join(this.dir, name);
    mkdirSync(base);
    await newKey(`${base}.key`);
    const settings = {
      ListenAddress: this.#host(name).address,
      HostKey: `${base}.key`,
      AuthorizedKeysFile: `${this.identity}.pub`,
      PidFile: "none",
      UsePAM: "no",
      UseDNS: "no",
      StrictModes: "no",
      PasswordAuthentication: "no",
      KbdInteractiveAuthentication: "no",
      MaxStartups: "100",
    };
    const lines = Object.entries(settings).map(([option, value]) => `${option} ${value}\n`);
    writeFileSync(`${base}.conf`, lines.join(""));
  }
}

async function newKey(file: string): Promise<void> {
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
}

async function listening(address: string): Promise<void> {
  for (;;) {
    try {
      const socket = createConnection(22, address);
      await once(socket, "connect");
      socket.destroy();
      return;
    } catch {
      await sleep(50);
    }
  }
}
