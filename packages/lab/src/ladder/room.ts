import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import type { LadderOptions } from "./options.ts";

/** Memory that QEMU takes beside the guest's: librbd, translated code, a server of its disk. */
const BESIDE = 256 * 2 ** 20;

/** Memory left for everything else. */
const SPARE = 2 ** 30;

/** How many VMs can stand at once. Those that boot from the image itself cannot share it: their file system takes one writer. */
export function vmsAtOnce(
  { vm, guestImage }: Pick<LadderOptions, "vm" | "guestImage">,
  free = available(),
): number {
  if (guestImage !== undefined) return 1;
  return Math.max(1, Math.floor((free - SPARE) / (vm.memory + BESIDE)));
}

/** Bytes that programs can have without others being swapped out. Source: proc(5), /proc/meminfo. */
function available(): number {
  const [, kilobytes] = /^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
}
