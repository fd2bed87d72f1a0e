import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { constants, open, readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { AttachError } from "../errors.ts";
import { libcBeside } from "../vhost/native/libc.ts";

export interface DriverParameters {
  /** Devices that exist from the start. */
  readonly nbdsMax?: number | undefined;
  /** Partitions that each may have; default 255, as with rbd-nbd. */
  readonly maxPart?: number | undefined;
}

/**
 * Loads the kernel's NBD driver unless it is loaded.
 *
 * @param warn called for parameters that have no effect because the driver is loaded
 * @throws AttachError SIPHON_ATTACH_DEVICE if it cannot be loaded
 */
export async function loadDriver(
  { nbdsMax, maxPart }: DriverParameters,
  warn: (line: string) => void,
): Promise<void> {
  if (existsSync("/sys/module/nbd")) {
    if (nbdsMax !== undefined || maxPart !== undefined) {
      warn("the options nbds_max and max_part have no effect: the kernel module nbd is already loaded");
    }
    return;
  }
  const parameters = [
    ...(nbdsMax === undefined ? [] : [`nbds_max=${nbdsMax}`]),
    `max_part=${maxPart ?? usualMaxPart}`,
  ];
  try {
    // A user's PATH need not have it.
    const env = { ...process.env, PATH: `${process.env.PATH ?? ""}:/sbin:/usr/sbin` };
    await promisify(execFile)("modprobe", ["nbd", ...parameters], { env });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const why = stderr?.trim().split("\n").at(-1) || message;
    throw new AttachError("SIPHON_ATTACH_DEVICE", `cannot load the kernel's NBD driver: ${why}`, {
      ...{ cause: error, hint: "run as root: modprobe nbd" },
    });
  }
}

/**
 * N of `/dev/nbdN`.
 *
 * @throws AttachError SIPHON_USAGE for any other path
 */
export function deviceNumber(path: string): number {
  const [, digits] = /^\/dev\/nbd(\d{1,7})$/.exec(path) ?? [];
  if (digits !== undefined) return Number(digits);
  throw new AttachError("SIPHON_USAGE", `invalid device path: ${path} (expected /dev/nbd{num})`);
}

export function devicePath(index: number): string {
  return `/dev/nbd${index}`;
}

/** The cookie of a device that is connected. Kernels before 5.14 have none. */
export async function cookieOf(index: number): Promise<string | undefined> {
  const text = await readFile(sysfs(index, "backend"), "utf8").catch(() => "");
  return text.trim() || undefined;
}

/** @throws AttachError SIPHON_ATTACH_DEVICE if the kernel uses another size, as old kernels do for very large images */
export async function checkSize(index: number, size: number): Promise<void> {
  const known = Number(await readFile(sysfs(index, "size"), "utf8")) * sectorBytes;
  if (known === size) return;
  throw new AttachError(
    "SIPHON_ATTACH_DEVICE",
    `the kernel gave ${devicePath(index)} a size of ${known} bytes instead of ${size}`,
  );
}

/**
 * Milliseconds between the kernel's checks of unanswered requests. The kernel resends those of a connection that has
 * ended. It leaves the others alone unless the device has a time limit for requests.
 */
export async function lookAfterRequests(index: number, interval: number): Promise<void> {
  await writeFile(sysfs(index, "queue/io_timeout"), String(interval)).catch(() => {});
}

/** Writes the device's dirty pages from the kernel's page cache, and drops the clean ones. */
export async function flushPageCache(index: number): Promise<void> {
  const file = await open(devicePath(index), "r");
  try {
    // BLKFLSBUF
    await libcBeside("ioctl", file.fd, 0x1261, 0);
  } finally {
    await file.close();
  }
}

/** Whether it is mounted, or part of another device of this host. */
export async function isInUse(index: number): Promise<boolean> {
  try {
    const exclusive = await open(devicePath(index), constants.O_RDONLY | constants.O_EXCL);
    await exclusive.close();
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBUSY") return true;
    throw error;
  }
}

function sysfs(index: number, name: string): string {
  return `/sys/block/nbd${index}/${name}`;
}

export const sectorBytes = 512;
const usualMaxPart = 255;
