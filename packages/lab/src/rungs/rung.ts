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
  /** Why the cluster cannot be reached in secure mode; undefined when it can. */
  noSecure?: string;
  /** Why there are no huge pages for a VM's memory; undefined when there are. */
  noHugePages?: string;
  /** Copies of each object; undefined where nobody knows. */
  copies?: number;
  /** Why no further images can be made; undefined when they can. */
  noFurtherImages?: string;
}

/** One step of the ladder. */
export interface Rung {
  name: string;
  /** Shown in tables and charts; starts with `+` when it adds to the rung before. */
  title: string;
  /** Why the setting matters, in a sentence. */
  why: string;
  /** Changes of the VM: against the rungs before it, or against QEMU's defaults (published mode). */
  change: (offers: Offers) => Partial<VmSettings>;
  /** Why it cannot be climbed here; undefined when it can. */
  missing?: (offers: Offers) => string | undefined;
  /** Stands beside the ladder: compared with the rung before it, but later rungs do not build on it. */
  aside?: true;
}

/** A rung that is climbed only when it is named, beside the one that it changes. */
export interface FurtherRung extends Rung {
  aside: true;
  /** The rung that it changes, and is compared with: one of the ladder's, or another such. */
  on: string;
  /** Where the setting is described. */
  source: string;
}

const notInstalled = (what: string, apt: string) =>
  `${what} is not installed (Debian and Ubuntu: apt-get install ${apt})`;

/** Needs that rungs of both modes share. */
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
