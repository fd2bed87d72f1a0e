import { readFileSync } from "node:fs";
import { host, type Platform } from "../host/platform.ts";
import { majorOf, versions } from "../host/versions.ts";
import { findOlderLibrbd } from "../roots/older-librbd.ts";
import { allocatorLibrary } from "../vm/allocator.ts";
import type { Offers } from "./rung.ts";

/** What a machine offers, without its cluster. */
export type VmOffers = Omit<Offers, "noSecure" | "copies" | "noFurtherImages">;

/** Abilities of this machine, and of QEMU's root, that rungs need. */
export async function findOffers({
  cpus,
  memory,
  librbdDir,
  qemu: platform = host,
}: Pick<Offers, "cpus" | "librbdDir"> & { memory: number; qemu?: Platform }): Promise<VmOffers> {
  const [{ qemu }, tcmalloc, jemalloc, olderLibrbd] = await Promise.all([
    versions({ qemu: platform }),
    allocatorLibrary("tcmalloc", platform),
    allocatorLibrary("jemalloc", platform),
    librbdDir === undefined ? findOlderLibrbd(platform) : undefined,
  ]);
  const noHugePages = whyNoHugePages(readFileSync("/proc/meminfo", "utf8"), memory);
  return {
    ...{ cpus, librbdDir, olderLibrbd, tcmalloc, jemalloc, qemuMajor: majorOf(qemu) },
    ...(noHugePages !== undefined && { noHugePages }),
  };
}

/** @param memory bytes of memory for a VM */
export function whyNoHugePages(meminfo: string, memory: number): string | undefined {
  const value = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1] ?? 0);
  const page = value("Hugepagesize") * 1024;
  if (page === 0) return "this kernel has no huge pages";
  const [free, needed] = [value("HugePages_Free"), Math.ceil(memory / page)];
  if (free >= needed) return undefined;
  return `${needed} huge pages are needed, and ${free} are free (sysctl vm.nr_hugepages=${needed})`;
}
