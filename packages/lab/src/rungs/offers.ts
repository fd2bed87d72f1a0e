import { host, type Platform } from "../host/platform.ts";
import { majorOf, versions } from "../host/versions.ts";
import { findOlderLibrbd } from "../roots/older-librbd.ts";
import { allocatorLibrary } from "../vm/allocator.ts";
import type { Offers } from "./rung.ts";

/** Abilities of this machine, and of the root that QEMU comes from, that rungs need. */
export async function findOffers({
  cpus,
  librbdDir,
  qemu: platform = host,
}: Pick<Offers, "cpus" | "librbdDir"> & { qemu?: Platform }): Promise<Omit<Offers, "noSecure">> {
  const [{ qemu }, tcmalloc, jemalloc, olderLibrbd] = await Promise.all([
    versions({ qemu: platform }),
    allocatorLibrary("tcmalloc", platform),
    allocatorLibrary("jemalloc", platform),
    librbdDir === undefined ? findOlderLibrbd(platform) : undefined,
  ]);
  return { cpus, librbdDir, olderLibrbd, tcmalloc, jemalloc, qemuMajor: majorOf(qemu) };
}
