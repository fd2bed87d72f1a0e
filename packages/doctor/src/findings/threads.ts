import { type Disk, isData } from "../model/disk.ts";
import type { Vm } from "../model/vm.ts";
import type { Finding, Hit } from "./finding.ts";
import { diskName, qmDisk, qmSet } from "./words.ts";
import { published } from "./worth.ts";

const toIothread: Finding["fix"] = {
  qemu: "-object iothread,id=iot0 and iothread=iot0 in the -device (of the virtio-scsi controller for SCSI disks)",
  libvirt: ({ disk }) =>
    disk?.bus.value === "virtio-scsi"
      ? "<iothreads>1</iothreads> and <driver iothread='1'/> in the virtio-scsi <controller>"
      : "<iothreads>1</iothreads> and iothread='1' in <driver>",
  proxmox: (subject) =>
    subject.disk?.bus.value === "virtio-scsi" && subject.vm.platform === "proxmox"
      ? `${qmSet(subject, "--scsihw virtio-scsi-single")} and ${qmDisk(subject, { iothread: "1" })}`
      : subject.vm.platform === "proxmox"
        ? qmDisk(subject, { iothread: "1" })
        : `${qmSet(subject, "--scsihw virtio-scsi-single")} and iothread=1 on each disk`,
  kubevirt: (subject) => `domain.ioThreadsPolicy: auto, and dedicatedIOThread: true on ${diskName(subject)}`,
  opennebula: 'FEATURES = [ IOTHREADS = "1" ]',
  "openstack-nova": "Nova 2026.1 or newer gives each VM an I/O thread",
  cloudstack: "template or VM setting iothreads=true; it writes <iothreads>1</iothreads> and iothread='1'",
  ganeti: "Ganeti with iothreads (since 2026-07), and disk_aio=native, without which it leaves them out",
};

/** Data disks grouped by the thread that does their I/O. */
function sharing(vm: Vm): Disk[][] {
  const byThread = new Map<string, Disk[]>();
  for (const disk of vm.disks.filter(isData)) {
    const thread = disk.iothread?.state === "used" ? disk.iothread.thread : undefined;
    if (thread !== undefined) byThread.set(thread, [...(byThread.get(thread) ?? []), disk]);
  }
  return [...byThread.values()].filter((disks) => disks.length > 1);
}

export const threadFindings: readonly Finding[] = [
  {
    id: "iothread-missing",
    title: "QEMU's main loop serves the disk",
    severity: "medium",
    rung: "iothread",
    when: "An RBD disk on virtio-blk or virtio-scsi has no I/O thread: no iothread= (QEMU), none on the disk or its SCSI controller (libvirt), no iothread=1 (Proxmox), neither ioThreadsPolicy nor any dedicatedIOThread (KubeVirt).",
    not: "IDE, SATA and LSI, where the bus comes first; a configured thread without effect; nova.conf and Incus, which have no such setting; EFI disks and CD-ROMs.",
    why: "Without its own I/O thread the disk waits for QEMU's main loop and its global lock, which also serve the monitor, VNC and all other devices.",
    worth: published.iothread,
    wrong:
      "If the guest has one vCPU and does little I/O: it gains nothing. In QEMU before 2.9, an I/O thread excludes some block jobs.",
    takes: "restart",
    fix: toIothread,
    disk: (disk, vm) =>
      isData(disk) && disk.iothread?.state === "none"
        ? {
            place: disk.iothread.place,
            ...(vm.vcpus === 1 && { severity: "low" as const }),
            ...(vm.platform === "kubevirt" && { worth: published.iothreadKubevirt }),
          }
        : undefined,
  },
  {
    id: "iothread-without-effect",
    title: "An I/O thread is configured but not used",
    severity: "medium",
    rung: "iothread",
    when: "Proxmox iothread=1 on scsiN unless scsihw is virtio-scsi-single; libvirt <iothreads> that no disk or controller names; a KubeVirt policy with an RBD disk on bus scsi and no dedicatedIOThread on any SCSI disk.",
    not: "Proxmox virtioN with iothread=1, whatever scsihw is; KubeVirt's dedicatedIOThread without a policy, which works.",
    why: "The thread is configured, but QEMU's main loop still serves the disk.",
    worth: published.iothread,
    wrong: "If the guest does little I/O: no I/O thread then gains anything.",
    takes: "restart",
    fix: {
      libvirt: "iothread='1' in the <driver> of each virtio disk, or of the virtio-scsi <controller>",
      proxmox: (subject) => qmSet(subject, "--scsihw virtio-scsi-single"),
      kubevirt: (subject) => `bus: virtio, or dedicatedIOThread: true on ${diskName(subject)}`,
      opennebula:
        'DISK = [ ..., IOTHREAD = "1" ], or leave the choice to OpenNebula by FEATURES = [ IOTHREADS = "1" ]',
      any: "name the thread in the device that is to use it",
    },
    disk: (disk) =>
      isData(disk) && disk.iothread?.state === "ignored"
        ? { place: disk.iothread.place, ...(disk.iothread.why && { why: disk.iothread.why }) }
        : undefined,
    vm: ({ unusedIothreads: unused, disks }) =>
      unused !== undefined && disks.some(isData)
        ? {
            place: unused.place,
            why: `<iothreads> creates ${unused.value === 1 ? "a thread" : `${unused.value} threads`}, but no disk or controller uses one.`,
          }
        : undefined,
  },
  {
    id: "iothread-shared",
    title: "Disks share an I/O thread",
    severity: "info",
    when: "Two or more RBD data disks have the same I/O thread: the same number in libvirt, the same id in QEMU, KubeVirt's policy shared, or auto with more disks than its pool has threads.",
    not: "A thread for each disk; KubeVirt's supplementalPool; QEMU's main loop (iothread-missing).",
    why: "One thread uses at most one core for all its disks; a busy disk makes the others wait.",
    worth: null,
    wrong: "If the host has fewer free cores than disks: more threads then only add context switches.",
    takes: "restart",
    fix: {
      qemu: "one -object iothread for each disk",
      libvirt: "<iothreads>N</iothreads> with as many threads as busy disks, another number in each <driver>",
      kubevirt: "dedicatedIOThread: true on the busy disks, or ioThreadsPolicy: supplementalPool",
      opennebula: 'FEATURES = [ IOTHREADS = "N" ], with N the number of busy disks',
      any: "one thread for each busy disk",
    },
    vm: (vm) => {
      const first = sharing(vm)[0];
      if (first === undefined) return undefined;
      return {
        place: first[0]!.iothread!.place,
        why: `${first.map(({ name }) => name).join(", ")} share one I/O thread, which uses at most one core.`,
      };
    },
  },
  {
    id: "queues-single",
    title: "One request queue for all vCPUs",
    severity: "low",
    rung: "multiqueue",
    when: "4 or more vCPUs and one queue: num-queues=1 or queues='1', or a machine type older than 5.2 without a number.",
    not: "A newer or unpinned machine type without a number, for which QEMU uses one queue per vCPU; fewer than 4 vCPUs.",
    why: "All vCPUs put requests into one queue under one lock, and one vCPU handles all interrupts.",
    worth: null,
    wrong: "If one I/O thread serves all queues, the gain is only in the guest.",
    takes: "restart",
    fix: {
      qemu: "drop num-queues (machine types from 5.2 on give one queue a vCPU), or num-queues=N with N vCPUs",
      libvirt: "queues='N' in <driver>, with N vCPUs, or a machine type from 5.2 on",
      proxmox: (subject) =>
        `${qmSet(subject, subject.vm.machine?.value.board === "i440fx" ? "--delete machine" : "--machine q35")} (the same board without a version), or queues=N on the disk with virtio-scsi-single`,
      opennebula: 'FEATURES = [ VIRTIO_SCSI_QUEUES = "auto" ] (or VIRTIO_BLK_QUEUES)',
      "openstack-nova": "openstack image set --property hw_machine_type=q35 IMAGE, for a newer machine type",
      any: "a machine type from 5.2 on",
    },
    disk: (disk, { vcpus = 0 }) =>
      isData(disk) && disk.queues?.value === 1 && vcpus >= 4
        ? {
            place: disk.queues.place,
            why: disk.queues.explicit
              ? `One queue is configured for ${vcpus} vCPUs, which put requests into it under one lock.`
              : `This machine type is older than 5.2, so the disk has one queue by default; ${vcpus} vCPUs share it.`,
          }
        : undefined,
  },
  {
    id: "queues-beyond-vcpus",
    title: "More queues than vCPUs",
    severity: "low",
    when: "An explicit number of queues is greater than the number of vCPUs.",
    not: "The default; as many queues as vCPUs that can still be plugged in.",
    why: "Queues beyond the number of vCPUs are never used; each costs an interrupt and memory.",
    worth: null,
    wrong: "If you plan to hot-add vCPUs: queues cannot be added while the VM runs.",
    takes: "restart",
    fix: {
      qemu: ({ vm }) => `drop num-queues, or num-queues=${vm.vcpus}`,
      libvirt: ({ vm }) => `drop queues=, or queues='${vm.vcpus}'`,
      proxmox: (subject) => `${qmDisk(subject, { queues: undefined })} (QEMU uses one queue per vCPU)`,
      any: "drop the number: QEMU uses one queue per vCPU",
    },
    disk: (disk, { vcpus, maximumVcpus }) => {
      const most = Math.max(vcpus ?? Number.NaN, maximumVcpus ?? 0);
      return isData(disk) && disk.queues?.explicit === true && disk.queues.value > most
        ? {
            place: disk.queues.place,
            why: `${disk.queues.value} queues are configured, but only ${most} vCPUs can use them.`,
          }
        : undefined;
    },
  },
  {
    id: "queues-unmapped-iothreads",
    title: "One thread serves several queues",
    severity: "info",
    when: "Several queues are configured (queues>1, num-queues>1, KubeVirt's blockMultiQueue), and one I/O thread serves them all.",
    not: "iothread-vq-mapping, libvirt's <iothreads> inside <driver>, KubeVirt's supplementalPool; no I/O thread at all; automatic queues.",
    why: "More queues spread the work in the guest; the work on the host stays on one thread, which is one core.",
    worth: published.queueMapping,
    wrong: "If the one thread is not saturated, more threads only add context switches.",
    takes: "restart",
    fix: {
      qemu: '-device {"driver":"virtio-blk-pci","iothread-vq-mapping":[{"iothread":"iot0"},{"iothread":"iot1"}],...} (QEMU 9.0 or newer)',
      libvirt:
        "<iothreads><iothread id='1'/><iothread id='2'/></iothreads> inside <driver> (libvirt 10.0, QEMU 9.0 or newer)",
      proxmox: "none in Proxmox today; expect no gain from more queues",
      kubevirt: ({ vm }) =>
        `ioThreadsPolicy: supplementalPool with ioThreads.supplementalPoolThreadCount: ${Math.min(vm.vcpus ?? 4, 8)}`,
      any: "map queues to several I/O threads, or drop the number of queues",
    },
    disk: (disk): Hit | undefined =>
      isData(disk) &&
      disk.queues?.explicit === true &&
      disk.queues.value > 1 &&
      disk.iothread?.state === "used"
        ? {
            place: disk.queues.place,
            why: `${disk.queues.value} queues are configured, and one I/O thread serves them all.`,
          }
        : undefined,
  },
  {
    id: "option-misplaced",
    title: "An option is in a place where it has no effect",
    severity: "medium",
    when: "nova.conf's disk_cachemodes outside [libvirt] or without type=; KubeVirt's blockMultiQueue, cache or io inside disk:; iothread=1 on Proxmox's scsihw.",
    not: "Quotes around a value in nova.conf, which oslo.config strips; options that no longer exist (option-obsolete).",
    why: "The option exists, but the program that reads it expects it elsewhere: it is not in force.",
    worth: null,
    wrong:
      "If the option had no effect and nobody missed it, delete it instead of moving it: in the right place it takes effect.",
    takes: "restart",
    fix: {
      any: ({ disk, vm }) => {
        const first = disk?.misplaced?.[0] ?? vm.settings.misplaced?.[0];
        return first === undefined
          ? "move the option"
          : `${first.value.belongs}, if it is really wanted; else delete it`;
      },
    },
    disk: (disk) => {
      const first = disk.misplaced?.[0];
      return first === undefined ? undefined : { place: first.place, why: first.value.why };
    },
  },
  {
    id: "option-obsolete",
    title: "An option that this release does not know",
    severity: "info",
    when: "nova.conf's live_migration_flag since Ocata; ceph.conf's ms_async_max_op_threads.",
    not: "The release still reads it.",
    why: "No program reads the option any more: it is not in force.",
    worth: null,
    wrong: "While hosts of an older release share the file.",
    takes: "nothing to do",
    fix: {
      openstack:
        "delete it; Nova sets the flags itself (for encryption live_migration_with_native_tls = true)",
      any: "delete it",
    },
    vm: ({ settings }) =>
      settings.obsolete?.map(({ value, place }) => ({
        place,
        why: value.why,
        ...(value.harmful && { severity: "low" as const }),
      })),
  },
];
