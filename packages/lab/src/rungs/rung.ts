import type { LibrbdSet } from "../roots/librbd-set.ts";
import type { VmSettings } from "../vm/settings.ts";

/** Abilities of a machine, a cluster and the caller; they decide which rungs can run. */
export interface Offers {
  /** Paths of the allocators' libraries. */
  tcmalloc?: string;
  jemalloc?: string;
  /** Directory of another librbd build (`--librbd`), for new-librbd and the rungs after it. */
  librbdDir?: string;
  /** An older librbd than QEMU's own, for the rungs before new-librbd. */
  olderLibrbd?: LibrbdSet;
  qemuMajor: number;
  /** vCPUs of the guest. */
  cpus: number;
  /** Why secure mode is unavailable; undefined if it is available. */
  noSecure?: string;
  /** Why there are no huge pages for a VM's memory; undefined if there are. */
  noHugePages?: string;
  /** Copies of each object; undefined if unknown. */
  copies?: number;
  /** Why no further images can be created; undefined if they can. */
  noFurtherImages?: string;
}

/** One step of the ladder. */
export interface Rung {
  name: string;
  /** The title in tables and charts; starts with `+` if it adds to the previous rung. */
  title: string;
  /** Why the setting matters, in a sentence. */
  why: string;
  /** Changes of the VM: relative to the previous rungs, or to QEMU's defaults (published mode). */
  change: (offers: Offers) => Partial<VmSettings>;
  /** Why it is unavailable here; undefined if it is available. */
  missing?: (offers: Offers) => string | undefined;
  /** A side rung: compared with the previous rung, but later rungs do not build on it. */
  aside?: true;
}

/** A rung that is measured only if named, together with the one that it changes. */
export interface FurtherRung extends Rung {
  aside: true;
  /** The rung that it changes and is compared with: one of the ladder's, or another further rung. */
  on: string;
  /** Documentation of the setting. */
  source: string;
}

const notInstalled = (what: string, apt: string) =>
  `${what} is not installed (Debian and Ubuntu: apt-get install ${apt})`;

/** Requirements shared by rungs of both modes. */
export const needs = {
  tcmalloc: ({ tcmalloc }: Offers) =>
    tcmalloc ? undefined : notInstalled("libtcmalloc", "libgoogle-perftools4"),
  jemalloc: ({ jemalloc }: Offers) => (jemalloc ? undefined : notInstalled("libjemalloc", "libjemalloc2")),
  librbd: ({ librbdDir, olderLibrbd }: Offers) =>
    librbdDir || olderLibrbd
      ? undefined
      : "needs an older and a newer librbd: siphon root build reef, then --qemu reef; or name a build with --librbd DIR",
  secure: ({ noSecure }: Offers) => noSecure,
  queueMapping: ({ qemuMajor, cpus }: Offers) => {
    if (qemuMajor < 9) return `needs QEMU 9 or newer, and this is QEMU ${qemuMajor}`;
    return cpus < 2 ? "needs two vCPUs or more (--cpus)" : undefined;
  },
  hugePages: ({ noHugePages }: Offers) => noHugePages,
  copies: ({ copies }: Offers) =>
    copies === undefined || copies > 1 ? undefined : "needs two copies of each object or more (--osds 3)",
  furtherImages: ({ noFurtherImages }: Offers) => noFurtherImages,
};
