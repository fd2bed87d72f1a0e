import type { Fact } from "./place.ts";

/** Facts of the host or the process besides the VM's configuration. */
export interface HostFacts {
  /** The librbd that the process has mapped, else the package's. */
  librbd?: Fact<LibrbdVersion>;
  /** The allocator in the process's maps; undefined without maps. */
  allocator?: Fact<"tcmalloc" | "jemalloc" | "libc">;
  /** The process maps a librbd that was replaced on disk. */
  deletedLibrbd?: Fact<string>;
  /** Ceph's release of the libraries that the process has mapped. */
  cephRelease?: string;
  /** The librbd that lies in the place of a mapped one that was replaced. */
  installedLibrbd?: string;
  /** Version of qemu-server (Proxmox), as [major, minor, revision]. */
  qemuServer?: readonly number[];
  /** Threads of the running process that leave no idle time, by name. */
  saturatedThreads?: { name: string; percent: number }[];
  /** How often the CPU limit held the process back while it was watched. */
  throttled?: Fact<{ periods: number; of: number }>;
  /** I/O threads and vCPUs that may run on the same cores only. */
  sharedCores?: Fact<string>;
}

export interface LibrbdVersion {
  /** As the file or package says it: `1.12.0`, `15.2.14`. */
  text: string;
  /** Ceph's major release, 16 for Pacific; a file older than Pacific says no more than that: 15. */
  major: number;
  source: "mapped" | "package" | "program";
}
