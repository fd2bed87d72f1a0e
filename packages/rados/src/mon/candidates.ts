import type { EntityAddr } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import type { Peer } from "../messenger/peer.ts";
import type { MonMap } from "./monmap.ts";

/** A monitor to connect to. */
export interface Candidate {
  /** `mon.a`, or `mon` if only addresses are known. */
  name: string;
  /** At least one; tried in the order of `byPreference`. */
  addrs: readonly EntityAddr[];
}

/** The monitors of a map with a usable address. */
export function candidatesOf(monmap: MonMap, mayUse: (addr: EntityAddr) => boolean): Candidate[] {
  return monmap.mons
    .map(({ name, addrs }) => ({ name: `mon.${name}`, addrs: addrs.filter(mayUse) }))
    .filter(({ addrs }) => addrs.length > 0);
}

/**
 * The addresses of a monitor by name.
 *
 * @throws RadosError ENOENT if it is not in the map, or has no usable address
 */
export function monitorNamed(name: string, monmap: MonMap, mayUse: (addr: EntityAddr) => boolean): Peer {
  const found = candidatesOf(monmap, mayUse).find((candidate) => candidate.name === `mon.${name}`);
  const [addr] = byPreference(found?.addrs ?? []);
  if (addr !== undefined) return { type: "mon", name: `mon.${name}`, addr };
  throw new RadosError("ENOENT", `there is no reachable monitor ${name}`, {
    hint: `the monitors are ${monmap.mons.map((mon) => mon.name).join(", ")}`,
  });
}

/** The addresses that a client supports, msgr2 before v1. */
export function byPreference(addrs: readonly EntityAddr[]): EntityAddr[] {
  const of = (type: EntityAddr["type"]) => addrs.filter((addr) => addr.type === type);
  return [...of("msgr2"), ...of("legacy")];
}

/** A random order, so that clients spread over the monitors. */
export function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
