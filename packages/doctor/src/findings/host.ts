import type { Vm } from "../model/vm.ts";
import type { Finding, Hit } from "./finding.ts";
import { rungWords } from "./rungs.ts";
import { published } from "./worth.ts";

function usesLibrbd({ disks }: Vm): boolean {
  return disks.some(({ source }) => source.driver === "librbd");
}

/** Pacific, whose I/O path was rewritten. */
const pacific = 16;

export const hostFindings: readonly Finding[] = [
  {
    id: "allocator-libc",
    title: "librbd runs on libc's allocator",
    severity: "medium",
    rung: "tcmalloc",
    when: "The process maps librbd, and neither tcmalloc nor jemalloc.",
    not: "Kernel-mapped disks; no maps in the input.",
    why: rungWords.tcmalloc.why,
    worth: published.tcmalloc,
    wrong: "If there are few I/Os: it then changes nothing, and tcmalloc keeps more memory.",
    takes: "restart",
    fix: {
      libvirt: "a wrapper as <emulator> that sets LD_PRELOAD=.../libtcmalloc.so.4 and runs QEMU",
      any: "start QEMU with LD_PRELOAD=.../libtcmalloc.so.4 (under libvirt by a wrapper as <emulator>)",
    },
    vm: (vm): Hit | undefined =>
      usesLibrbd(vm) && vm.host.allocator?.value === "libc" ? { place: vm.host.allocator.place } : undefined,
  },
  {
    id: "librbd-old",
    title: "librbd is older than Pacific",
    severity: "medium",
    rung: "new-librbd",
    when: "The librbd in use is older than 16.2 (Pacific), according to the mapped file or else the package.",
    not: "The version is unknown; kernel-mapped disks; a newer librbd is mapped although the package is old.",
    why: rungWords["new-librbd"].why,
    worth: published.newLibrbd,
    wrong: "Newer clients work with clusters up to two releases older; check before you upgrade further.",
    takes: "restart",
    fix: {
      proxmox:
        "upgrade Ceph on the hosts to 16.2 or newer, and restart the VM (or migrate it to an upgraded host)",
      any: "install librbd and librados of Pacific (16.2) or newer on the host, and restart the VM",
    },
    vm: (vm): Hit | undefined => {
      const { librbd } = vm.host;
      if (librbd === undefined || !usesLibrbd(vm) || !(librbd.value.major < pacific)) return undefined;
      return {
        place: librbd.place,
        why: `librbd ${librbd.value.text} is older than the rewrite of its I/O path for Pacific (16.2).`,
      };
    },
  },
  {
    id: "librbd-replaced",
    title: "The VM runs a librbd that was replaced on disk",
    severity: "low",
    when: "The process maps a deleted librbd file: it was started before an upgrade.",
    not: "The mapped file is the one on disk.",
    why: "The VM runs the old librbd, with its bugs, until it is restarted or migrated.",
    worth: null,
    wrong: "Never; choose a suitable time.",
    takes: "restart",
    fix: {
      any: "migrate the VM to another host and back, or stop and start it (a reboot inside the guest is not enough)",
    },
    vm: (vm): Hit | undefined => {
      const { deletedLibrbd, librbd, cephRelease, installedLibrbd } = vm.host;
      if (deletedLibrbd === undefined) return undefined;
      const runs = `${librbd?.value.text ?? ""}${cephRelease === undefined ? "" : ` (Ceph ${cephRelease})`}`;
      const now =
        installedLibrbd === undefined ? "the file is no longer there" : `${installedLibrbd} is installed`;
      return {
        place: deletedLibrbd.place,
        why: `This VM runs librbd ${runs} from ${deletedLibrbd.value}, and ${now}: it was started before the upgrade.`,
      };
    },
  },
  {
    id: "thread-saturated",
    title: "A thread has no idle time",
    severity: "medium",
    when: "During the observation, a thread of the running VM used 90 % of a core or more.",
    not: "vCPUs, which are the guest's own work.",
    why: "This thread limits the disk now: no other part of the path can go faster.",
    worth: null,
    wrong: "If it was only a burst: observe for longer (--seconds 60).",
    takes: "nothing to do",
    fix: {
      any: "msgr-worker: ms_async_op_threads, or tcmalloc; io_context_pool: librados_thread_count; I/O thread: one for each disk, or several mapped to queues; the main thread: an I/O thread",
    },
    vm: ({ host: { saturatedThreads = [] }, place }): Hit | undefined =>
      saturatedThreads.length === 0
        ? undefined
        : {
            place,
            why: `${saturatedThreads.map(({ name, percent }) => `${name} ran ${Math.round(percent)} % of the time`).join(", ")}.`,
          },
  },
  {
    id: "cpu-throttled",
    title: "A CPU limit throttles the VM",
    severity: "medium",
    when: "During the observation, the process's control group was throttled.",
    not: "A limit that is not reached.",
    why: "All threads of the VM stop until the next period, including those that do its I/O.",
    worth: null,
    wrong: "If the limit is part of the contract.",
    takes: "live",
    fix: { any: "raise or remove the quota (cpu.max) of the VM's control group in the system that set it" },
    vm: ({ host: { throttled } }): Hit | undefined =>
      throttled === undefined
        ? undefined
        : {
            place: throttled.place,
            why: `The control group was throttled in ${throttled.value.periods} of ${throttled.value.of} periods.`,
          },
  },
  {
    id: "thread-shares-core",
    title: "An I/O thread and a vCPU are pinned to the same core",
    severity: "medium",
    when: "An I/O thread of the running VM may run only on cores to which as many vCPUs are pinned.",
    not: "Threads that may run anywhere; a VM that is bound to more cores than it has vCPUs.",
    why: "When that vCPU is busy, the I/O thread waits for its turn, and the guest waits for the I/O.",
    worth: null,
    wrong: "If the host has no free core.",
    takes: "live",
    fix: {
      libvirt: "virsh iothreadpin DOMAIN ID CPULIST --live --config",
      any: "pin the I/O thread to cores without vCPUs",
    },
    vm: ({ host: { sharedCores } }): Hit | undefined =>
      sharedCores === undefined ? undefined : { place: sharedCores.place, why: sharedCores.value },
  },
];
