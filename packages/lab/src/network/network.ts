import { randomBytes } from "node:crypto";
import { LabError } from "../errors.ts";
import { Resource } from "../state/resource.ts";
import type { NetworkDetails, NetworkHost, NetworkTap } from "./details.ts";
import { ip, ipBatch } from "./ip.ts";
import { addressesOfNames } from "./known-names.ts";
import { removeNetwork } from "./remove.ts";
import { addressIn, hostsIn, overlap, parseSubnet, type Subnet, subnets, subnetText } from "./subnet.ts";

/**
 * Hosts on this machine: network namespaces with veth pairs on one bridge, on which this machine has an address, too.
 * Addresses are from an unused documentation range. There are no other routes, and the machine's forwarding and
 * firewall stay unchanged. Needs root. Disposing of the network removes everything, and ends all processes in its
 * namespaces.
 */
export class Network implements AsyncDisposable {
  readonly resource: Resource;

  private constructor(resource: Resource) {
    this.resource = resource;
  }

  /** @throws LabError SIPHON_PERMISSION without root, SIPHON_IN_USE when no range is free */
  static async create(name: string): Promise<Network> {
    // The second lowest bit of the first byte marks a locally administered address.
    const mac = ["02", ...Array.from(randomBytes(5), (byte) => byte.toString(16).padStart(2, "0"))].join(":");
    const taken = await addressesInUse(name);
    const resource = await Resource.create("networks", name, { mac } satisfies NetworkDetails);
    const network = new Network(resource);
    try {
      for (const [n, subnet] of subnets.entries()) {
        if (taken.some((other) => overlap(subnet, other))) continue;
        if (await network.#claim(`siphon${n}`, subnet)) return network;
      }
      throw new LabError("SIPHON_IN_USE", `cannot make the network ${name}: no documentation range is free`, {
        hint: "take other networks down, or run: siphon clean",
      });
    } catch (error) {
      await removeNetwork(resource);
      throw error;
    }
  }

  get name(): string {
    return this.resource.name;
  }

  get bridge(): string {
    return this.#details.bridge!;
  }

  /** `198.51.100.0/26`; hosts and guests need the length after the slash, too. */
  get subnet(): string {
    return this.#details.subnet!;
  }

  /** This machine's address for the network's hosts. */
  get address(): string {
    return addressIn(parseSubnet(this.subnet), 1);
  }

  get hosts(): NetworkHost[] {
    return this.#details.hosts ?? [];
  }

  get taps(): NetworkTap[] {
    return this.#details.taps ?? [];
  }

  /** Adds a host; other hosts and this machine reach it at once. */
  async addHost(name: string): Promise<NetworkHost> {
    if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,30}$/.test(name)) {
      throw new LabError("SIPHON_USAGE", `${JSON.stringify(name)} cannot name a host of a network`, {
        hint: "use letters, digits and dashes",
      });
    }
    const host = { name, namespace: `${this.bridge}-${name}`, address: this.#freeAddress() };
    const port = `${this.bridge}v${host.address.split(".")[3]}`;
    const what = `cannot add the host ${name} to the network ${this.name}`;
    // Recorded first, so that an unfinished host is removed after a crash.
    await this.resource.note({ hosts: [...this.hosts, host] });
    await ip(["netns", "add", host.namespace], what);
    await ipBatch(
      [
        `link add ${port} type veth peer name eth0 netns ${host.namespace}`,
        `link set ${port} master ${this.bridge} up`,
      ],
      what,
    );
    const bits = this.subnet.split("/")[1];
    await ipBatch(
      ["link set lo up", `address add ${host.address}/${bits} dev eth0`, "link set eth0 up"],
      what,
      {
        namespace: host.namespace,
      },
    );
    return host;
  }

  /** Adds a tap device for a guest, and reserves an address for it. */
  async addTap(name: string): Promise<NetworkTap> {
    const address = this.#freeAddress();
    const tap = { name, interface: `${this.bridge}t${address.split(".")[3]}`, address };
    await this.resource.note({ taps: [...this.taps, tap] });
    await ipBatch(
      [`tuntap add dev ${tap.interface} mode tap`, `link set ${tap.interface} master ${this.bridge} up`],
      `cannot add the tap ${name} to the network ${this.name}`,
    );
    return tap;
  }

  async remove(): Promise<void> {
    await removeNetwork(this.resource);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  get #details(): NetworkDetails {
    return this.resource.details as NetworkDetails;
  }

  /**
   * Creates the bridge, named after its subnet: if two siphons want the same subnet, only one can create it. False if
   * the name is taken.
   */
  async #claim(bridge: string, subnet: Subnet): Promise<boolean> {
    const what = `cannot make the network ${this.name}`;
    const { mac } = this.#details;
    try {
      await ip(["link", "add", "name", bridge, "address", mac, "type", "bridge"], what);
    } catch (error) {
      if (error instanceof LabError && /File exists/.test(error.message)) return false;
      throw error;
    }
    await this.resource.note({ bridge, subnet: subnetText(subnet) });
    const own = `${addressIn(subnet, 1)}/${subnet.bits}`;
    await ipBatch([`address add ${own} dev ${bridge}`, `link set ${bridge} up`], what);
    return true;
  }

  #freeAddress(): string {
    const subnet = parseSubnet(this.subnet);
    const taken = new Set([this.address, ...[...this.hosts, ...this.taps].map(({ address }) => address)]);
    for (let n = 2; n <= hostsIn(subnet); n++) {
      if (!taken.has(addressIn(subnet, n))) return addressIn(subnet, n);
    }
    throw new LabError("SIPHON_IN_USE", `the network ${this.name} (${this.subnet}) is full`);
  }
}

/** Arguments of ip(8) that run a program on a host: `run("ip", onHost(host, "rados", ["lspools"]))`. */
export function onHost({ namespace }: NetworkHost, program: string, args: string[] = []): string[] {
  return ["netns", "exec", namespace, program, ...args];
}

/**
 * Every address and every route of this machine but the default ones, which lead everywhere, and what the default ones are known to
 * lead to.
 */
async function addressesInUse(name: string): Promise<Subnet[]> {
  const what = `cannot make the network ${name}`;
  const [addresses, routes, outside] = await Promise.all([
    ip(["-json", "-4", "address", "show"], what),
    ip(["-json", "-4", "route", "show", "table", "all"], what),
    addressesOfNames(),
  ]);
  const own = (JSON.parse(addresses || "[]") as { addr_info?: { local: string; prefixlen: number }[] }[])
    .flatMap(({ addr_info = [] }) => addr_info)
    .map(({ local, prefixlen }) => parseSubnet(`${local}/${prefixlen}`));
  const reached = (JSON.parse(routes || "[]") as { dst: string }[])
    .filter(({ dst }) => dst !== "default")
    .map(({ dst }) => parseSubnet(dst));
  return [...own, ...reached, ...outside];
}
