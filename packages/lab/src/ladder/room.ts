import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import type { LadderOptions } from "./options.ts";

/** Memory of a VM besides the guest's: librbd, translated code, the server of its disk. */
const BESIDE = 256 * 2 ** 20;

/** Memory left for everything else. */
const SPARE = 2 ** 30;

/**
 * Number of VMs that can exist at a time. VMs that boot from the image cannot share it, because their file system
 * allows one writer.
 */
export function vmsAtOnce(
  { vm, guestImage }: Pick<LadderOptions, "vm" | "guestImage">,
  free = available(),
): number {
  if (guestImage !== undefined) return 1;
  return Math.max(1, Math.floor((free - SPARE) / (vm.memory + BESIDE)));
}

/** Bytes available to programs without swapping. Source: proc(5), /proc/meminfo. */
function available(): number {
  const [, kilobytes] = /^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
}
