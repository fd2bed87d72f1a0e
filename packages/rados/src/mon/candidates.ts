import type { EntityAddr } from "@siphon/wire";
import type { MonMap } from "./monmap.ts";

/** A monitor that may be dialled. */
export interface Candidate {
  /** `mon.a`, or `mon` where only the address is known. */
  name: string;
  addr: EntityAddr;
}

/** One address for each monitor of the map: the best protocol it has that we may speak. */
export function candidatesOf(monmap: MonMap, mayUse: (addr: EntityAddr) => boolean): Candidate[] {
  return monmap.mons.flatMap(({ name, addrs }) => {
    const addr = preferred(addrs.filter(mayUse));
    return addr === undefined ? [] : [{ name: `mon.${name}`, addr }];
  });
}

/** msgr2 before the first protocol; undefined where there is neither. */
export function preferred(addrs: readonly EntityAddr[]): EntityAddr | undefined {
  return addrs.find((addr) => addr.type === "msgr2") ?? addrs.find((addr) => addr.type === "legacy");
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
