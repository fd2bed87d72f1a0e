import { LabError } from "../errors.ts";
import { type Inventory, pathOf } from "./inventory.ts";

/** A device or file that an OSD may use although it holds data. */
export interface Wipe {
  host: string;
  path: string;
}

/** Reads `HOST:DEVICE`. */
export function parseWipe(text: string): Wipe {
  const [, host, path] = /^([^:]+):(\/.+)$/.exec(text) ?? [];
  if (host) return { host, path };
  throw new LabError("SIPHON_USAGE", `--wipe takes HOST:DEVICE, as in node1:/dev/sdb, and not ${text}`);
}

/** @throws LabError SIPHON_USAGE for a path that no OSD of the inventory uses: a typo could cost data */
export function checkWipes({ hosts }: Inventory, wipes: Wipe[]): void {
  for (const { host, path } of wipes) {
    const named = hosts.some(({ name, osds }) => name === host && osds.some((osd) => pathOf(osd) === path));
    if (named) continue;
    throw new LabError("SIPHON_USAGE", `the inventory gives no OSD ${path} on ${host}, so it is not wiped`);
  }
}
