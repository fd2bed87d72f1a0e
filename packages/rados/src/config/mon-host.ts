import { isIP, isIPv6 as isValidIPv6 } from "node:net";
import { type EntityAddr, type EntityAddrType, formatIPv6, parseIPv6 } from "@siphon/wire";
import { RadosError } from "../errors.ts";

/** Where one monitor may be, as `mon_host` says it. */
export interface MonHost {
  /** An IP address or a DNS name. */
  host: string;
  /** The protocol spoken there; `any`: msgr2 and the first protocol are both tried. */
  type: "msgr2" | "legacy" | "any";
  /** 0: the usual port of the protocol. */
  port: number;
}

const msgr2Port = 3300;
const legacyPort = 6789;

/**
 * Parses `mon_host` in all its forms: a list, with commas, semicolons or blanks between, of addresses, of
 * addresses with a protocol, of the addresses of one monitor in brackets, and of names:
 *
 *     192.0.2.1, 192.0.2.2:6789  v2:192.0.2.3:3300/0  [v2:192.0.2.4:3300,v1:192.0.2.4:6789]
 *     [2001:db8::1]:3300  [v2:[2001:db8::2]:3300/0,v1:[2001:db8::2]:6789/0]  mon1.example.org  mon2:6789
 *
 * @returns a list of places for each monitor
 */
export function parseMonHost(text: string): MonHost[][] {
  const mons: MonHost[][] = [];
  let rest = text;
  for (;;) {
    rest = rest.replace(/^[\s,;]+/, "");
    if (rest === "") return mons;
    const list = bracketedList(rest);
    const token = list ?? /^(?:\[[^\]]*\]|[^\s,;[\]])+/.exec(rest)?.[0];
    if (token === undefined) throw unreadable(text);
    rest = rest.slice(token.length);
    if (rest !== "" && !/^[\s,;]/.test(rest)) throw unreadable(text);
    const places = list === undefined ? [token] : list.slice(1, -1).split(",");
    mons.push(places.map((place) => parsePlace(place.trim(), text)));
  }
}

/** The list of one monitor's addresses that a text begins with; an IPv6 address in brackets is none. */
function bracketedList(text: string): string | undefined {
  if (!text.startsWith("[")) return undefined;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "[") depth++;
    else if (text[at] === "]" && --depth === 0) {
      return isIPv6(text.slice(1, at)) ? undefined : text.slice(0, at + 1);
    }
  }
  return undefined;
}

/**
 * The addresses to dial, for each monitor: names looked up (every address of one is a monitor of its
 * own), ports and protocols filled in as Ceph does (MonMap::_add_ambiguous_addr in src/mon/MonMap.cc).
 *
 * @throws RadosError SIPHON_RADOS_CONFIG where no name at all could be looked up
 */
export async function resolveMonHosts(mons: readonly MonHost[][]): Promise<EntityAddr[][]> {
  const failures: unknown[] = [];
  const resolved = await Promise.all(
    mons.map(async (places) => {
      const perPlace = await Promise.all(
        places.map(async (place) => {
          try {
            return (await ipAddresses(place.host)).map((address) => addrsAt(place, address));
          } catch (error) {
            failures.push(error);
            return [];
          }
        }),
      );
      return places.length === 1 ? perPlace.flat() : [perPlace.flat(2)];
    }),
  );
  const found = resolved.flat().filter((addrs) => addrs.length > 0);
  if (found.length === 0 && failures.length > 0) {
    const hosts = mons.flat().map(({ host }) => host);
    throw new RadosError(
      "SIPHON_RADOS_CONFIG",
      `cannot resolve the monitors' host names: ${hosts.join(", ")}`,
      {
        cause: failures[0],
        retryable: true,
        hint: "check mon_host, and that its names resolve on this machine",
      },
    );
  }
  return found;
}

async function ipAddresses(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function addrsAt({ type, port }: MonHost, address: string): EntityAddr[] {
  const at = (protocol: EntityAddrType, usualPort: number): EntityAddr => ({
    type: protocol,
    nonce: 0,
    family: isIPv6(address) ? 6 : 4,
    address: isIPv6(address) ? formatIPv6(parseIPv6(address)) : address,
    port: port || usualPort,
  });
  const both = type === "any" && port !== msgr2Port && port !== legacyPort;
  const addrs: EntityAddr[] = [];
  if (both || type === "msgr2" || port === msgr2Port) addrs.push(at("msgr2", msgr2Port));
  if (both || type === "legacy" || (type === "any" && port === legacyPort)) {
    addrs.push(at("legacy", legacyPort));
  }
  return type === "legacy" ? addrs.filter((addr) => addr.type === "legacy") : addrs;
}

/** `[PROTOCOL:]HOST[:PORT][/NONCE]`, an IPv6 address with a port in brackets. */
function parsePlace(place: string, text: string): MonHost {
  const match = /^(?:(v1|v2|any):)?(?:\[([^\]]+)\]|([^[\]/]+?))(?::(\d+))?(?:\/\d+)?$/.exec(place);
  if (match === null) throw unreadable(text);
  const [, protocol, bracketed, plain, portText] = match;
  const type = protocol === "v1" ? "legacy" : protocol === "v2" ? "msgr2" : "any";
  // Without brackets what looks like a port is the end of the address.
  const bare = plain !== undefined && isIPv6(`${plain}:${portText ?? ""}`) ? `${plain}:${portText}` : plain;
  const host = bracketed ?? bare!;
  const port = bare === plain ? Number(portText ?? 0) : 0;
  const valid = bracketed !== undefined ? isIPv6(host) : isIP(host) !== 0 || /^[\w.-]+$/.test(host);
  if (!valid || port > 65535) throw unreadable(text);
  return { host, type, port };
}

/** Tells the forms apart in advance: Node compiles a large expression for its answer. */
function isIPv6(text: string): boolean {
  return /^[\da-f]*:[\da-f]*:/i.test(text) && isValidIPv6(text);
}

function unreadable(text: string): RadosError {
  return new RadosError(
    "SIPHON_RADOS_CONFIG",
    `mon_host is not a list of addresses: ${JSON.stringify(text)}`,
    {
      hint: "for example: mon_host = [v2:192.0.2.1:3300,v1:192.0.2.1:6789], 192.0.2.2, mon3.example.org",
    },
  );
}
