import { host, type Platform } from "../host/platform.ts";
import { findLibrary } from "./contents.ts";
import { contentsOf, isNewer, type LibrbdSet, librbdSet } from "./librbd-set.ts";
import { Root } from "./root.ts";

/**
 * The oldest librbd of this host and the roots in the cache, if it is older than the one that QEMU of a root has: the
 * lower end of the step to a newer librbd. QEMU of this host is taken as it is.
 */
export async function findOlderLibrbd(qemu: Platform): Promise<LibrbdSet | undefined> {
  if (qemu === host) return undefined;
  const own = await contentsOf(qemu);
  let oldest: { platform: Platform; librbd: string } | undefined;
  for (const platform of [host, ...(await Root.list())]) {
    if (findLibrary(platform, "librbd.so.1") === undefined) continue;
    const { librbd, glibc } = await contentsOf(platform);
    // A library does not run on a glibc that is older than its own.
    if (librbd === undefined || !isNewer(own.librbd, librbd) || isNewer(glibc, own.glibc)) continue;
    if (oldest === undefined || isNewer(oldest.librbd, librbd)) oldest = { platform, librbd };
  }
  return oldest && librbdSet(oldest.platform, qemu);
}
