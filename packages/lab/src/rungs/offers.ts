import { majorOf, versions } from "../host/versions.ts";
import { allocatorLibrary } from "../vm/allocator.ts";
import type { Offers } from "./rung.ts";

/** What this machine offers to the rungs. */
export async function findOffers({
  cpus,
  librbdDir,
}: Pick<Offers, "cpus" | "librbdDir">): Promise<Omit<Offers, "noSecure">> {
  const [{ qemu }, tcmalloc, jemalloc] = await Promise.all([
    versions(),
    allocatorLibrary("tcmalloc"),
    allocatorLibrary("jemalloc"),
  ]);
  return { cpus, librbdDir, tcmalloc, jemalloc, qemuMajor: majorOf(qemu) };
}
