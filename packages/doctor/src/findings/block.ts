import { isData } from "../model/disk.ts";
import type { Finding } from "./finding.ts";
import { driverLine, qmDisk } from "./words.ts";
import { published } from "./worth.ts";

const cow = new Set(["qcow2", "qcow", "qed", "vmdk", "vdi", "vhdx", "vpc", "cow", "parallels"]);

export const blockFindings: readonly Finding[] = [
  {
    id: "discard-off",
    title: "TRIM does not reach the image",
    severity: "low",
    when: "No discard=unmap on the node that the device uses, no discard='unmap' (libvirt), no discard=on (Proxmox), no hw_disk_discard (Nova), no DISCARD (OpenNebula).",
    not: "KubeVirt and Incus, whose default is unmap; CD-ROMs, EFI disks and read-only disks; a single rbd node with unmap.",
    why: "Blocks that the guest frees stay allocated in the pool, in every replica.",
    worth: null,
    wrong:
      "If space must stay reserved (thick images), or if a guest that trims all the time disturbs others: then run fstrim weekly.",
    takes: "restart",
    fix: {
      qemu: "discard=unmap in the -drive, or on every node of the -blockdev",
      libvirt: driverLine("discard='unmap'"),
      proxmox: (subject) => qmDisk(subject, { discard: "on" }),
      openstack: "[libvirt] hw_disk_discard = unmap",
      "openstack-nova": "[libvirt] hw_disk_discard = unmap on the compute host",
      opennebula: 'DISK = [ ..., DISCARD = "unmap" ]',
      ganeti: ({ vm }) => `gnt-instance modify -H disk_discard=unmap ${vm.name ?? "INSTANCE"}`,
      any: "discard=unmap",
    },
    disk: (disk) =>
      isData(disk) && disk.readOnly !== true && disk.discard?.value === false
        ? { place: disk.discard.place }
        : undefined,
  },
  {
    id: "detect-zeroes-cost",
    title: "Every write is searched for zeros",
    severity: "info",
    when: "detect-zeroes on or unmap is visible on a command line or written in a configuration.",
    not: "EFI disks; Proxmox's unseen default in a VM's configuration.",
    why: "The CPU scans every write buffer, to turn writes of zeros into a cheaper operation.",
    worth: null,
    wrong:
      "If guests write many zeros (installations, databases that preallocate), it saves space and traffic.",
    takes: "restart",
    fix: {
      libvirt: "drop detect_zeroes= from <driver>",
      proxmox: (subject) => qmDisk(subject, { detect_zeroes: "0" }),
      any: "detect-zeroes=off",
    },
    disk: (disk) =>
      isData(disk) && disk.readOnly !== true && disk.detectZeroes !== undefined
        ? { place: disk.detectZeroes.place }
        : undefined,
  },
  {
    id: "format-qcow2-on-rbd",
    title: "A copy-on-write format inside an RBD image",
    severity: "high",
    when: "Format qcow2, or another copy-on-write format, inside an RBD image.",
    not: "qcow2 files on other storage.",
    why: "The format duplicates RBD's allocation and snapshots; with a cache, live migration can corrupt its metadata.",
    worth: published.qcow2,
    wrong: "Never for new disks. An existing disk must be converted, which takes as long as copying it.",
    takes: "new images",
    fix: {
      libvirt:
        "qemu-img convert -O raw into a new image, then <driver name='qemu' type='raw' .../>; use rbd snap and rbd clone",
      any: "qemu-img convert -O raw into a new image, then format=raw; use rbd snap and rbd clone",
    },
    disk: (disk) =>
      isData(disk) && disk.format !== undefined && cow.has(disk.format.value)
        ? {
            place: disk.format.place,
            why: `${disk.format.value} inside an RBD image duplicates RBD's allocation and snapshots; with a cache, live migration can corrupt its metadata.`,
          }
        : undefined,
  },
  {
    id: "raw-layer",
    title: "Idle nodes between the device and rbd",
    severity: "info",
    rung: "blockdev",
    when: "A -blockdev stack has raw or throttle nodes without offset, size or limits above an rbd node.",
    not: "-drive; a raw node with size or offset; kernel-mapped disks; libvirt XML and Proxmox configurations.",
    why: "Each request passes through nodes that change nothing.",
    worth: published.noDifference,
    wrong: "It is not worth a change on its own: the difference is hardly measurable.",
    takes: "restart",
    fix: {
      qemu: "give the device the rbd node itself: -device ...,drive=RBD-NODE",
      libvirt: "newer libvirt leaves the raw node out",
      "openstack-nova": "newer libvirt leaves the raw node out",
      proxmox: "none under Proxmox: it always builds this stack",
      any: "give the device the rbd node itself",
    },
    disk: (disk) =>
      isData(disk) && disk.bareLayers !== undefined
        ? {
            place: disk.bareLayers.place,
            why: `Between the device and rbd are nodes that change nothing: ${disk.bareLayers.value}.`,
          }
        : undefined,
  },
  {
    id: "throttled",
    title: "The disk is capped",
    severity: "info",
    when: "A limit is in force: throttling.*, iops or mbps (Proxmox), iotune (libvirt), a throttle group with limits.",
    not: "An empty throttle group; limits of the network; cputune's shares.",
    why: "Above the cap the guest sees the cap, not the cluster: no other setting helps there.",
    worth: null,
    wrong: "If the cap is part of the contract, or protects other VMs.",
    takes: "live",
    fix: {
      qemu: "raise or drop throttling.* (live: block_set_io_throttle)",
      libvirt: "virsh blkdeviotune DOMAIN TARGET --total-iops-sec 0 --live --config",
      proxmox: (subject) =>
        qmDisk(subject, {
          ...{
            iops: undefined,
            iops_rd: undefined,
            iops_wr: undefined,
            iops_max: undefined,
            iops_rd_max: undefined,
          },
          ...{
            iops_wr_max: undefined,
            mbps: undefined,
            mbps_rd: undefined,
            mbps_wr: undefined,
            mbps_max: undefined,
          },
          ...{ mbps_rd_max: undefined, mbps_wr_max: undefined },
        }),
      incus: "incus config device unset INSTANCE DEVICE limits.read (limits.write, limits.max)",
      "openstack-nova":
        "openstack flavor unset --property quota:disk_total_iops_sec FLAVOR, or the volume type's QoS",
      any: "raise or drop the limit",
    },
    disk: (disk) =>
      isData(disk) && disk.throttle !== undefined
        ? {
            place: disk.throttle.place,
            why: `Limits are in force: ${disk.throttle.value}. Above them the guest sees the cap, not the cluster.`,
          }
        : undefined,
  },
];
