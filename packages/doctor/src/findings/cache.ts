import { type Disk, isData } from "../model/disk.ts";
import type { Vm } from "../model/vm.ts";
import type { Finding, Hit } from "./finding.ts";
import { rungWords } from "./rungs.ts";
import { diskName, driverLine, qmDisk, vmName } from "./words.ts";
import { published } from "./worth.ts";

const cacheOff: Finding["fix"] = {
  qemu: ({ disk }) =>
    disk?.place.path?.startsWith("-blockdev")
      ? '"cache":{"direct":true} in the -blockdev of the rbd node'
      : "cache=none in the -drive",
  libvirt: driverLine("cache='none'"),
  proxmox: (subject) => qmDisk(subject, { cache: undefined }),
  kubevirt: "cache: none on the disk",
  openstack: "remove network=... from [libvirt] disk_cachemodes; Nova then uses none",
  incus: (subject) =>
    `incus config device set ${vmName(subject)} ${diskName(subject)} io.cache=none (for a device of a profile: incus config device override ...)`,
  opennebula: 'DISK = [ ..., CACHE = "none" ] (or the default in vmm_exec_kvm.conf)',
  cloudstack: "the disk offering's cache mode: none",
  "openstack-nova":
    "[libvirt] disk_cachemodes = network=none on the compute host, then a hard reboot of the instance",
  ganeti: "gnt-instance modify -H disk_cache=none INSTANCE",
  "openstack-ansible": 'nova_libvirt_disk_cachemodes: ""',
  kolla: "disk_cachemodes = network=none in /etc/kolla/config/nova/nova-compute.conf",
};

function isCachedLibrbd({ kind, source, cache }: Disk): boolean {
  return kind === "data" && source.driver === "librbd" && cache !== undefined && !cache.direct;
}

/** Whether librbd's cache keeps the firmware's writes: since Octopus its default policy (writearound) does not. */
function keepsEfivars({ source, cache, efivarsCached }: Disk, vm: Vm): boolean {
  if (efivarsCached === true || source.driver !== "librbd" || cache === undefined) return true;
  if (cache.direct) return false;
  if (source.options?.get("rbd_cache_policy")?.value === "writeback") return true;
  if (vm.settings.cachePolicy === "writeback" && source.options?.has("rbd_cache_policy") !== true)
    return true;
  const release = vm.host.librbd?.value.major;
  return release !== undefined && release < 15;
}

export const cacheFindings: readonly Finding[] = [
  {
    id: "cache-librbd-on",
    title: "librbd's cache is on",
    severity: "high",
    rung: "cache-none",
    when: "A librbd disk has cache.direct false in effect: QEMU or libvirt without a cache mode, or with writeback, writethrough or unsafe; Nova with network=writeback; Incus and OpenNebula by default.",
    not: "none and directsync; the defaults of Proxmox and Nova; kernel-mapped disks; EFI variable stores; rbd_cache=true only in ceph.conf.",
    why: rungWords["cache-none"].why,
    worth: published.cacheNone,
    wrong:
      "If the cluster is slow (hard disks, long distances) and the load has bursts of writes and few flushes, the cache is faster: measure both before you change a whole fleet.",
    takes: "restart",
    sources: ["QEMU block/rbd.c, qemu_rbd_connect(): rbd_cache is set to true unless BDRV_O_NOCACHE"],
    fix: cacheOff,
    disk: (disk): Hit | undefined => {
      if (!isCachedLibrbd(disk)) return undefined;
      const { chosen, mode, place } = disk.cache!;
      if (chosen === "nobody")
        return {
          place,
          why: "No cache mode is given, so QEMU uses writeback and switches librbd's cache on, whatever ceph.conf says.",
        };
      const who = chosen === "platform" ? "The platform opens the disk with" : "The disk has";
      return {
        place,
        severity: "medium",
        why: `${who} cache mode ${mode ?? "writeback"}, so QEMU switches librbd's cache on.`,
      };
    },
  },
  {
    id: "cache-writeback-depends",
    title: "Writeback is chosen; whether it helps depends on the cluster",
    severity: "info",
    rung: "cache-none",
    when: "A deliberate writeback: written by the operator or forced by the platform (Incus) on librbd; or writeback or writethrough on a kernel-mapped disk, where it means the host's page cache.",
    not: "The default applies without a choice (cache-librbd-on alone); none and directsync.",
    why: "Writeback merges writes in memory: on a slow cluster with few flushes it is faster, on a fast cluster it costs CPU. Only a measurement shows which.",
    worth: null,
    wrong: "If it was measured on this cluster with this load, leave it.",
    takes: "restart",
    measure: "siphon ladder --conf /etc/ceph/ceph.conf --pool POOL --rungs iothread,cache-none",
    fix: { any: "measure cache=none and cache=writeback on this cluster, then keep the better one" },
    disk: ({ kind, source, cache }, vm): Hit | undefined => {
      if (
        kind !== "data" ||
        cache === undefined ||
        cache.direct ||
        cache.noFlush ||
        cache.chosen === "nobody"
      )
        return undefined;
      if (source.driver === "librbd" && cache.mode === "writeback") {
        return { place: cache.place, ...(vm.platform === "incus" && { worth: published.cacheIncus }) };
      }
      if ((source.driver !== "krbd" && source.driver !== "rbd-nbd") || cache.mode === undefined)
        return undefined;
      return {
        place: cache.place,
        why: `On a kernel-mapped disk, ${cache.mode} means the host's page cache: data is cached twice, and latency jumps when dirty pages are written out.`,
      };
    },
  },
  {
    id: "cache-unsafe",
    title: "The guest's flushes are dropped",
    severity: "high",
    when: "cache=unsafe, no-flush true, io.cache: unsafe.",
    not: "writeback, which honours flushes.",
    why: "A crash of the host or of QEMU loses data that the guest believes to be durable, and can destroy its file systems.",
    worth: null,
    wrong: "A disposable VM may keep it.",
    takes: "restart",
    fix: { ...cacheOff, qemu: "cache=none in place of cache=unsafe (no-flush=off)" },
    disk: (disk) =>
      isData(disk) && disk.readOnly !== true && disk.cache?.noFlush === true
        ? { place: disk.cache.place }
        : undefined,
  },
  {
    id: "efivars-uncached",
    title: "EFI variables are written to the cluster byte by byte",
    severity: "medium",
    when: "An EFI variable store is on librbd and its writes are not cached: cache.direct=on, or the cache is on but rbd_cache_policy is not writeback with librbd 15 or newer.",
    not: "Proxmox since qemu-server 7.0-7, which sets both itself; kernel-mapped disks.",
    why: "The firmware rewrites its variables byte by byte. Since Octopus, librbd's default policy, writearound, does not cache such writes: each goes to the cluster, and the VM starts very slowly.",
    worth: {
      text: "no figure; Proxmox calls it very slow",
      source: "https://bugzilla.proxmox.com/show_bug.cgi?id=3329",
    },
    wrong: "Never for this disk; but do not set the policy for data disks too.",
    takes: "restart",
    fix: {
      qemu: "cache=writeback and :rbd_cache_policy=writeback on this drive",
      libvirt:
        "<driver cache='writeback'/> in <nvram>, and rbd_cache_policy = writeback for this client in ceph.conf",
      proxmox:
        "upgrade qemu-server to 7.0-7 or newer: it sets cache=writeback and rbd_cache_policy=writeback itself",
      any: "cache=writeback and rbd_cache_policy=writeback for this disk",
    },
    disk: (disk, vm) =>
      disk.kind === "efivars" && !keepsEfivars(disk, vm) ? { place: disk.cache!.place } : undefined,
  },
  {
    id: "pwl-cache",
    title: "librbd's persistent write log is on",
    severity: "medium",
    when: "rbd_plugins has pwl_cache, and rbd_persistent_cache_mode is rwl or ssd.",
    not: "Settings of rbd_cache.",
    why: "Writes are acknowledged when they are in a log on a device of this host. Until they are written back, they are lost if the host is lost, and no other host may open the image.",
    worth: null,
    wrong:
      "If a measurement shows that the lower write latency is worth it, and losing the host's last writes is acceptable.",
    takes: "restart",
    fix: {
      any: "remove pwl_cache from rbd_plugins, after rbd persistent-cache flush of each image that used it",
    },
    vm: ({ settings: { pwlCache } }) => (pwlCache === undefined ? undefined : { place: pwlCache.place }),
  },
  {
    id: "aio-without-effect",
    title: "aio= on a librbd disk does nothing",
    severity: "info",
    when: "aio= (libvirt: io=) is set on a librbd disk.",
    not: "Host devices and files: kernel-mapped disks, ZFS volumes, LVM.",
    why: "aio= selects how QEMU accesses local files and devices; QEMU's rbd driver ignores it.",
    worth: null,
    wrong: "If a tool writes it for all disks, leave it: it does no harm.",
    takes: "nothing to do",
    sources: ["QEMU: aio is an option of the drivers file, host_device and nvme only"],
    fix: {
      libvirt: "drop io= from <driver>",
      proxmox: (subject) => qmDisk(subject, { aio: undefined }),
      opennebula: "drop IO from the DISK",
      any: "drop aio=",
    },
    disk: ({ kind, source, aio }) =>
      kind === "data" && source.driver === "librbd" && aio !== undefined ? { place: aio.place } : undefined,
  },
  {
    id: "aio-threads",
    title: "A blocking helper thread for each request",
    severity: "low",
    when: "aio=threads on a kernel-mapped disk, with cache none or directsync, set by the operator or by the platform's default (Ganeti).",
    not: "Proxmox on krbd with writeback, where Proxmox itself uses threads; librbd.",
    why: "With aio=threads a blocking helper thread handles each request of an O_DIRECT device; native and io_uring submit requests without helper threads.",
    worth: null,
    wrong:
      "If the host's page cache is in use (writeback): native is wrong there, and io_uring hung on krbd with QEMU 6.0.",
    takes: "restart",
    fix: {
      qemu: "aio=native (or io_uring)",
      libvirt: driverLine("cache='none' io='native'"),
      proxmox: (subject) => `${qmDisk(subject, { aio: undefined })} (Proxmox then takes io_uring)`,
      kubevirt: "io: native",
      ganeti: ({ vm }) => `gnt-instance modify -H disk_aio=native ${vm.name ?? "INSTANCE"}`,
      any: "aio=native",
    },
    disk: ({ kind, source, aio, cache }) =>
      kind === "data" &&
      (source.driver === "krbd" || source.driver === "rbd-nbd") &&
      aio?.value === "threads" &&
      aio.chosen === "written" &&
      cache?.direct === true
        ? { place: aio.place }
        : undefined,
  },
];
