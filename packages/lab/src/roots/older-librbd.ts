import { host, type Platform } from "../host/platform.ts";
import { findLibrary } from "./contents.ts";
import { contentsOf, isNewer, type LibrbdSet, librbdSet } from "./librbd-set.ts";
import { Root } from "./root.ts";

/**
 * The oldest librbd of this host and the cached roots, if it is older than that of a root's QEMU: the lower end of the
 * step to a newer librbd. Undefined for this host's QEMU.
 */
export async function findOlderLibrbd(qemu: Platform): Promise<LibrbdSet | undefined> {
  if (qemu === host) return undefined;
  const own = await contentsOf(qemu);
  let oldest: { platform: Platform; librbd: string } | undefined;
  for (const platform of [host, ...(await Root.list())]) {
    if (findLibrary(platform, "librbd.so.1") === undefined) continue;
    const { librbd, glibc } = await contentsOf(platform);
    // A library does not work with an older glibc.
    if (librbd === undefined || !isNewer(own.librbd, librbd) || isNewer(glibc, own.glibc)) continue;
    if (oldest === undefined || isNewer(oldest.librbd, librbd)) oldest = { platform, librbd };
  }
  return oldest && librbdSet(oldest.platform, qemu);
}
