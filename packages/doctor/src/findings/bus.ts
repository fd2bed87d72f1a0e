import { isData } from "../model/disk.ts";
import type { Finding } from "./finding.ts";
import { diskName, proxmoxName, qmSet, volumeOf } from "./words.ts";
import { published } from "./worth.ts";

const toVirtio: Finding["fix"] = {
  qemu: "-drive if=none,id=d0,... -device virtio-blk-pci,drive=d0 (or a virtio-scsi-pci controller with scsi-hd)",
  libvirt: "<target dev='vda' bus='virtio'/>, without the disk's <address>",
  proxmox: (subject) =>
    `${qmSet(subject, `--delete ${proxmoxName(subject)}`)}; ${qmSet(subject, `--scsihw virtio-scsi-single --scsi0 ${volumeOf(subject)},iothread=1,discard=on --boot order=scsi0`)} (the volume is the same; --boot if it is the boot disk)`,
  kubevirt: "disk: {bus: virtio}",
  incus: (subject) => `incus config device set INSTANCE ${diskName(subject)} io.bus=virtio-scsi`,
  opennebula: 'DISK = [ ..., DEV_PREFIX = "vd" ]',
  "openstack-nova":
    "openstack image set --property hw_disk_bus=virtio IMAGE, then rebuild or resize the instance",
  ganeti: "gnt-instance modify -H disk_type=paravirtual INSTANCE",
  cloudstack: "the VM's setting rootDiskController=virtio (or scsi)",
};

const wrongWithoutDriver =
  "Before the guest has the virtio driver: Windows does not boot from a bus without a driver. Install the driver (virtio-win) while a second small disk is on the new bus.";

export const busFindings: readonly Finding[] = [
  {
    id: "bus-ide",
    title: "The disk is emulated IDE",
    severity: "high",
    rung: "virtio-blk",
    when: "An RBD data disk is on emulated IDE: ide-hd, bus='ide', Proxmox ideN, or a QEMU -drive without if= on the pc board.",
    not: "CD-ROMs; q35, where the same -drive is SATA.",
    why: "Emulated IDE accepts one request at a time, and every step of a request causes a VM exit.",
    worth: published.virtio,
    wrong: wrongWithoutDriver,
    takes: "restart",
    fix: toVirtio,
    disk: (disk) => (isData(disk) && disk.bus.value === "ide" ? { place: disk.bus.place } : undefined),
  },
  {
    id: "bus-sata",
    title: "The disk is emulated SATA",
    severity: "high",
    rung: "virtio-blk",
    when: "An RBD data disk is on AHCI: bus='sata', Proxmox sataN, a KubeVirt disk without bus on amd64.",
    not: "CD-ROMs; KubeVirt on arm64, whose default is virtio.",
    why: "Emulated AHCI has one queue of 32 requests, and every request causes several VM exits.",
    worth: published.sata,
    wrong: wrongWithoutDriver,
    takes: "restart",
    fix: toVirtio,
    disk: (disk) =>
      isData(disk) && disk.bus.value === "sata"
        ? { place: disk.bus.place, ...(disk.bus.why && { why: disk.bus.why }) }
        : undefined,
  },
  {
    id: "scsi-lsi",
    title: "The SCSI controller is an emulated LSI 53C895A",
    severity: "high",
    rung: "virtio-blk",
    when: "The adapter is an emulated LSI: Proxmox scsiN with scsihw lsi, lsi53c810 or no scsihw line; libvirt bus='scsi' with model lsilogic, or without a model if the emulator has LSI.",
    not: "No model, and an emulator without LSI (Red Hat's qemu-kvm), which uses virtio-scsi; KubeVirt and Incus, whose SCSI is virtio-scsi.",
    why: "The emulated LSI 53C895A handles requests one register access at a time, and stalls under load.",
    worth: published.lsi,
    wrong: wrongWithoutDriver,
    takes: "restart",
    fix: {
      qemu: "-device virtio-scsi-pci,id=scsi0,iothread=iot0 in place of the lsi device",
      libvirt: "<controller type='scsi' index='0' model='virtio-scsi'/> or <target dev='vda' bus='virtio'/>",
      proxmox: (subject) =>
        `${qmSet(subject, "--scsihw virtio-scsi-single")} (Windows: install the vioscsi driver first)`,
      opennebula:
        "<controller type='scsi' index='0' model='virtio-scsi'/> by RAW = [ TYPE = \"kvm\", DATA = \"...\" ], or DEV_PREFIX = \"vd\"",
      "openstack-nova": "openstack image set --property hw_scsi_model=virtio-scsi IMAGE",
    },
    disk: (disk) =>
      isData(disk) && disk.bus.value === "lsi"
        ? { place: disk.bus.place, ...(disk.bus.why && { why: disk.bus.why }) }
        : undefined,
  },
];
