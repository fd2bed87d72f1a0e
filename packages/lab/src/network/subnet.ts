/** A range of IPv4 addresses with the first `bits` bits of `base`. */
export interface Subnet {
  /** The lowest address, as a number. */
  base: number;
  bits: number;
}

/** The documentation blocks of RFC 5737, which are not routed on the Internet. */
const DOCUMENTATION = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"];

/** Size of a network: 61 hosts and this machine. Twelve networks fit. */
const BITS = 26;

/** All subnets for networks, in a fixed order. */
export const subnets: Subnet[] = DOCUMENTATION.flatMap((block) => {
  const { base, bits } = parseSubnet(block);
  return Array.from({ length: 2 ** (BITS - bits) }, (_, n) => ({
    base: base + n * 2 ** (32 - BITS),
    bits: BITS,
  }));
});

/** Reads `192.0.2.0/26`; a bare address counts as /32. */
export function parseSubnet(text: string): Subnet {
  const [address, length = "32"] = text.split("/");
  const bits = Number(length);
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return { base: number - (number % 2 ** (32 - bits)), bits };
}

export function subnetText({ base, bits }: Subnet): string {
  return `${dotted(base)}/${bits}`;
}

/** The nth address of a subnet, 0 being the network's own name: `192.0.2.1`. */
export function addressIn({ base }: Subnet, n: number): string {
  return dotted(base + n);
}

/** Number of host addresses: all but the first (network) and the last (broadcast). */
export function hostsIn({ bits }: Subnet): number {
  return 2 ** (32 - bits) - 2;
}

export function overlap(one: Subnet, other: Subnet): boolean {
  const size = 2 ** (32 - Math.min(one.bits, other.bits));
  return Math.floor(one.base / size) === Math.floor(other.base / size);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
