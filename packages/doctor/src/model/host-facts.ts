import type { Fact } from "./place.ts";

/** Facts of the host or the process besides the VM's configuration. */
export interface HostFacts {
  /** The librbd that the process has mapped, otherwise the package's. */
  librbd?: Fact<LibrbdVersion>;
  /** The allocator in the process's maps; undefined without maps. */
  allocator?: Fact<"tcmalloc" | "jemalloc" | "libc">;
  /** The process maps a librbd that was replaced on disk. */
  deletedLibrbd?: Fact<string>;
  /** Ceph's release of the libraries that the process has mapped. */
  cephRelease?: string;
  /** The librbd that replaced the mapped one on disk. */
  installedLibrbd?: string;
  /** Version of qemu-server (Proxmox), as [major, minor, revision]. */
  qemuServer?: readonly number[];
  /** Threads of the running process that have no idle time. */
  saturatedThreads?: { name: string; percent: number }[];
  /** How often the CPU limit throttled the process while it was watched. */
  throttled?: Fact<{ periods: number; of: number }>;
  /** I/O threads and vCPUs that are confined to the same cores. */
  sharedCores?: Fact<string>;
}

export interface LibrbdVersion {
  /** The version as the file or package gives it: `1.12.0`, `15.2.14`. */
  text: string;
  /** Ceph's major release, 16 for Pacific; 15 for any library file older than Pacific, whose name does not tell more. */
  major: number;
  source: "mapped" | "package" | "program";
}
