import type { VmSettings } from "../vm/settings.ts";

/** What a machine, a cluster and the caller offer; decides which rungs can be climbed. */
export interface Offers {
  /** Paths of the allocators' libraries. */
  tcmalloc?: string;
  jemalloc?: string;
  /** Directory of another librbd build (`--librbd`). */
  librbdDir?: string;
  qemuMajor: number;
  /** vCPUs of the guest. */
  cpus: number;
  /** Why the cluster cannot be reached in secure mode; undefined when it can. */
  noSecure?: string;
}

/** One step of the ladder. */
export interface Rung {
  name: string;
  /** Shown in tables and charts; starts with `+` when it adds to the rung before. */
  title: string;
  /** Why the setting matters, in a sentence. */
  why: string;
  /** What it changes about the VM: against the rungs before it, or against QEMU's defaults (published mode). */
  change: (offers: Offers) => Partial<VmSettings>;
  /** Why it cannot be climbed here; undefined when it can. */
  missing?: (offers: Offers) => string | undefined;
  /** Stands beside the ladder: compared with the rung before it, but later rungs do not build on it. */
  aside?: true;
}

const noLibrary = (library: string, apt: string) =>
  `${library} is not installed (Debian and Ubuntu: apt-get install ${apt})`;

/** Needs that rungs of both modes share. */
export const needs = {
  tcmalloc: ({ tcmalloc }: Offers) =>
    tcmalloc ? undefined : noLibrary("libtcmalloc", "libgoogle-perftools4"),
  jemalloc: ({ jemalloc }: Offers) => (jemalloc ? undefined : noLibrary("libjemalloc", "libjemalloc2")),
  librbd: ({ librbdDir }: Offers) =>
    librbdDir
      ? undefined
      : "needs another librbd build than the system's: name its directory with --librbd DIR",
  secure: ({ noSecure }: Offers) => noSecure,
};
