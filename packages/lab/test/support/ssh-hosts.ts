import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { InventoryInput } from "../../src/deploy/inventory.ts";
import { run } from "../../src/host/command.ts";
import { Daemon } from "../../src/host/daemon.ts";
import { Network, type NetworkHost, onHost } from "../../src/network/network.ts";

/** Bytes of a file system of its own that a host keeps its directory in; none when not given. */
type Room = number | undefined;

/**
 * Hosts that are namespaces of this machine, each with an ssh server that takes one key. They share its processes
 * and files, so each has a directory of its own for what is deployed there.
 */
export class SshHosts implements AsyncDisposable {
  readonly network: Network;
  /** Where keys, host directories and device files are. */
  readonly dir: string;
  readonly servers = new Map<string, Daemon>();

  private constructor(network: Network, dir: string) {
    this.network = network;
    this.dir = dir;
  }

  static async start(hosts: Record<string, Room>): Promise<SshHosts> {
    const dir = mkdtempSync(join(tmpdir(), "siphon-hosts-"));
    const made = new SshHosts(await Network.create(`hosts-${process.pid}`), dir);
    try {
      await newKey(made.identity);
      for (const [name, room] of Object.entries(hosts)) await made.#add(name, room);
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

  /** What an inventory says of a host: where it is, its server's key, and its directory. */
  host(name: string): InventoryInput["hosts"][number] {
    const { address } = this.#host(name);
    const key = readFileSync(join(this.dir, `${name}.key.pub`), "utf8").trim();
    return { name, address, hostKey: key, directory: this.directory(name) };
  }

  /** A host's directory for deployments; nothing makes it before. */
  directory(name: string): string {
    return join(this.dir, name, "deployed");
  }

  /** Runs a program on a host. */
  async run(name: string, program: string, args: string[], input?: string): Promise<string> {
    return (await run("ip", onHost(this.#host(name), program, args), { input })).stdout;
  }

  /** Pids of what runs on a host, the ssh server and its sessions aside. */
  async pids(name: string): Promise<number[]> {
    const { stdout } = await run("ip", ["netns", "pids", this.#host(name).namespace]);
    const comm = (pid: number) => readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    return stdout
      .split("\n")
      .filter(Boolean)
      .map(Number)
      .filter((pid) => comm(pid) !== "sshd");
  }

  /** Cuts a host off, as a pulled cable does. */
  async cut(name: string): Promise<void> {
    await run("ip", ["-netns", this.#host(name).namespace, "link", "set", "eth0", "down"]);
  }

  async join(name: string): Promise<void> {
    await run("ip", ["-netns", this.#host(name).namespace, "link", "set", "eth0", "up"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #host(name: string): NetworkHost {
    return this.network.hosts.find((host) => host.name === name)!;
  }

  async #add(name: string, room: Room): Promise<void> {
    const host = await this.network.addHost(name);
    const key = join(this.dir, `${name}.key`);
    const conf = join(this.dir, `${name}.conf`);
    await newKey(key);
    mkdirSync(join(this.dir, name));
    const settings = {
      ListenAddress: host.address,
      HostKey: key,
      AuthorizedKeysFile: `${this.identity}.pub`,
      PidFile: "none",
      UsePAM: "no",
      UseDNS: "no",
      StrictModes: "no",
      PasswordAuthentication: "no",
      KbdInteractiveAuthentication: "no",
      MaxStartups: "100",
    };
    writeFileSync(
      conf,
      Object.entries(settings)
        .map(([option, value]) => `${option} ${value}\n`)
        .join(""),
    );
    // sshd wants /run/sshd; `ip netns exec` gives each host mounts of its own.
    const small =
      room === undefined ? "" : `mount -t tmpfs -o size=${room} tmpfs ${join(this.dir, name)} && `;
    const start = `mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && ${small}exec /usr/sbin/sshd -D -e -f ${conf}`;
    const daemon = await Daemon.start({
      name: `sshd-${name}`,
      command: "ip",
      args: onHost(host, "sh", ["-c", start]),
      resource: this.network.resource,
    });
    this.servers.set(name, daemon);
    await daemon.whileRunning(listening(host.address));
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
