import {
  type EntityAddr,
  parseIPv4,
  parseIPv6,
  type Reader,
  readEntityAddr,
  readUtime,
  type Utime,
} from "@siphon/wire";

/** A client instance, host or network that OSDs do not serve until a time. */
export interface BlocklistEntry {
  addr: EntityAddr;
  until: Utime;
}

/** The blocklist of an OSD map. Immutable: `with` makes a new one. */
export class Blocklist {
  readonly #entries: ReadonlyMap<string, BlocklistEntry>;
  readonly #ranges: ReadonlyMap<string, BlocklistEntry>;

  constructor(entries: readonly BlocklistEntry[] = [], ranges: readonly BlocklistEntry[] = []) {
    this.#entries = byKey(new Map(), entries);
    this.#ranges = byKey(new Map(), ranges);
  }

  get entries(): BlocklistEntry[] {
    return [...this.#entries.values()];
  }

  get ranges(): BlocklistEntry[] {
    return [...this.#ranges.values()];
  }

  /** Whether a client with these addresses is shut out (OSDMap::is_blocklisted in src/osd/OSDMap.cc). */
  has(addrs: readonly EntityAddr[]): boolean {
    return addrs.some(
      (addr) =>
        this.#entries.has(keyOf(addr)) ||
        (addr.family !== 0 && this.#entries.has(keyOf({ ...addr, port: 0, nonce: 0 }))) ||
        this.ranges.some((range) => inRange(addr, range.addr)),
    );
  }

  with(
    added: readonly BlocklistEntry[],
    removed: readonly EntityAddr[],
    addedRanges: readonly BlocklistEntry[],
    removedRanges: readonly EntityAddr[],
  ): Blocklist {
    if (added.length + removed.length + addedRanges.length + removedRanges.length === 0) return this;
    const entries = byKey(new Map(this.#entries), added);
    for (const addr of removed) entries.delete(keyOf(addr));
    const ranges = byKey(new Map(this.#ranges), addedRanges);
    for (const addr of removedRanges) ranges.delete(keyOf(addr));
    return new Blocklist([...entries.values()], [...ranges.values()]);
  }
}

/** A map from address to utime. */
export function readBlocklistEntries(r: Reader): BlocklistEntry[] {
  return r.list(27, () => {
    const addr = readEntityAddr(r);
    return { addr, until: readUtime(r) };
  });
}

function byKey(
  map: Map<string, BlocklistEntry>,
  entries: readonly BlocklistEntry[],
): Map<string, BlocklistEntry> {
  for (const entry of entries) map.set(keyOf(entry.addr), entry);
  return map;
}

/** The protocol is ignored: an instance is blocked at all of its addresses. */
function keyOf({ address, port, nonce }: EntityAddr): string {
  return `${address} ${port} ${nonce}`;
}

/** A range is an address whose nonce is the length of the network's prefix in bits. */
function inRange(addr: EntityAddr, range: EntityAddr): boolean {
  if (addr.family !== range.family || addr.family === 0) return false;
  const parse = addr.family === 4 ? parseIPv4 : parseIPv6;
  const a = parse(addr.address);
  const b = parse(range.address);
  for (let bit = 0; bit < range.nonce && bit < 8 * a.length; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((a[bit >> 3]! ^ b[bit >> 3]!) & mask) !== 0) return false;
  }
  return true;
}
