import { describe, it } from "node:test";
import { expectFindings } from "../support/expect-findings.ts";

interface Shape {
  title: string;
  line: string;
  beside?: Record<string, string>;
  wanted: string;
}

const kvm = "/usr/bin/qemu-system-x86_64 -machine q35,accel=kvm -cpu host -smp 4 -m 4G -object iothread,id=t";
const file = (more = "") => `file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,id=d${more}`;
const drive = `-drive ${file(",if=none")}`;
const node = (name: string, more = "") =>
  `-blockdev {"driver":"rbd","pool":"p","image":"${name}","user":"u","node-name":"${name}","cache":{"direct":true},"discard":"unmap"${more}}`;
const uses = (name: string) => `-device virtio-blk-pci,drive=${name},iothread=t`;

const shapes: Shape[] = [
  {
    title: "a quorum of three images is one disk",
    line: `${kvm} ${node("a")} ${node("b")} ${node("c")} -blockdev {"driver":"quorum","node-name":"q","vote-threshold":2,"children":["a","b","c"],"cache":{"direct":true},"discard":"unmap"} ${uses("q")}`,
    wanted: "disks q; q =; vm =",
  },
  {
    title: "a quorum in dotted options, with its children inside",
    line: `${kvm} -blockdev driver=quorum,node-name=q,vote-threshold=1,cache.direct=on,discard=unmap,children.0.driver=rbd,children.0.pool=p,children.0.image=a,children.0.user=u,children.1.driver=rbd,children.1.pool=p,children.1.image=b,children.1.user=u ${uses("q")}`,
    wanted: "disks q; q =; vm =",
  },
  {
    title: "throttle over copy-on-read over an image, with limits",
    line: `${kvm} -object throttle-group,id=g,x-iops-total=2000 ${node("a")} -blockdev {"driver":"copy-on-read","node-name":"cor","file":"a","discard":"unmap","cache":{"direct":true}} -blockdev {"driver":"throttle","node-name":"th","throttle-group":"g","file":"cor","discard":"unmap","cache":{"direct":true}} ${uses("th")}`,
    wanted: "disks th; th =throttled; vm =",
  },
  {
    title: "a local overlay with its backing file in RBD: the guest writes to the file",
    line: `${kvm} ${node("base", ',"read-only":true')} -blockdev {"driver":"file","filename":"/var/lib/vm/top.qcow2","node-name":"f"} -blockdev {"driver":"qcow2","file":"f","backing":"base","node-name":"top"} ${uses("top")}`,
    wanted: "disks top; top =; vm =",
  },
  {
    title: "a read-only disk has no TRIM to pass",
    line: `${kvm} -drive file=rbd:p/i@monday:id=u,format=raw,cache=none,if=none,id=d,readonly=on ${uses("d")}`,
    wanted: "d =; vm =",
  },
  {
    title: "the same as a node",
    line: `${kvm} -blockdev {"driver":"rbd","pool":"p","image":"i","snapshot":"monday","user":"u","node-name":"d","read-only":true,"cache":{"direct":true}} ${uses("d")}`,
    wanted: "d =; vm =",
  },
  {
    title: "virtio in its transitional and other forms",
    line: `${kvm} ${drive} -device virtio-blk-pci-non-transitional,drive=d,iothread=t,packed=on,queue-size=1024,write-cache=on`,
    wanted: "d =; vm =",
  },
  {
    title: "SCSI in its transitional form",
    line: `${kvm} ${drive} -device virtio-scsi-pci-transitional,id=s,iothread=t -device scsi-hd,bus=s.0,drive=d,rotation_rate=1,device_id=x`,
    wanted: "d =; vm =",
  },
  {
    title: "POWER: a drive without if= is on spapr-vscsi, which has no findings",
    line: `/usr/bin/qemu-system-ppc64 -machine pseries-8.2,accel=kvm -cpu host -smp 8 -m 16G -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap`,
    wanted: "disks scsi0-hd0; scsi0-hd0 =; vm =",
  },
  {
    title: "an ARM server with EFI variables in RBD whose writes are not cached",
    line: `/usr/bin/qemu-system-aarch64 -machine virt-9.1,gic-version=3 -accel kvm -cpu host -smp 8 -m 16G -object iothread,id=t -drive if=pflash,format=raw,readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd -drive if=pflash,format=raw,cache=none,file=rbd:p/vars:id=u ${drive} ${uses("d")}`,
    wanted: "pflash1 =efivars-uncached; d =; vm =",
  },
  {
    title: "installation media on a SCSI CD-ROM, a floppy and a cached EFI store",
    line: `${kvm} -device virtio-scsi-pci,id=s,iothread=t -drive file=rbd:p/win.iso:id=admin,if=none,id=cd,media=cdrom,readonly=on -device scsi-cd,bus=s.0,drive=cd -drive if=floppy,format=raw,file=rbd:p/drivers:id=u -drive if=pflash,unit=1,format=raw,cache=writeback,file=rbd:p/vars:id=u:rbd_cache_policy=writeback ${drive} -device scsi-hd,bus=s.0,drive=d`,
    wanted: "cd =; floppy0 =; pflash1 =; d =; vm =",
  },
  {
    title: "an empty CD-ROM drive has no disk",
    line: `${kvm} -drive if=none,id=cd,media=cdrom -device ide-cd,drive=cd,bus=ide.0 ${drive} ${uses("d")}`,
    wanted: "disks d; d =; vm =",
  },
  {
    title: "-hda on q35",
    line: "/usr/bin/qemu-system-x86_64 -enable-kvm -M q35 -cpu host -smp 2 -m 4G -hda rbd:p/i",
    wanted: "ide0-hd0 +bus-sata +cache-librbd-on +client-admin +discard-off -bus-ide -iothread-missing; vm =",
  },
  {
    title: "two disks with if=virtio, as in old guides",
    line: "/usr/bin/qemu-system-x86_64 -enable-kvm -M q35 -cpu host -smp 2 -m 4G -drive file=rbd:p/a:id=u,format=raw,if=virtio,cache=none -drive file=rbd:p/b:id=u,format=raw,if=virtio,cache=none",
    wanted:
      "disks virtio0 virtio1; virtio0 =iothread-missing =discard-off; virtio1 =iothread-missing =discard-off; vm =",
  },
  {
    title: "a SCSI controller with its queues mapped to threads (QEMU 10)",
    line: `${kvm} -object iothread,id=s -device {"driver":"virtio-scsi-pci","id":"h","num_queues":4,"iothread-vq-mapping":[{"iothread":"t"},{"iothread":"s"}]} ${drive} -device scsi-hd,bus=h.0,drive=d`,
    wanted: "d =; vm =",
  },
  {
    title: "a thread that polls for a while",
    line: `/usr/bin/qemu-system-x86_64 -machine q35,accel=kvm -cpu host -smp 4 -m 4G -object iothread,id=t,poll-max-ns=65536,poll-grow=4,poll-shrink=2,thread-pool-min=8 ${drive} ${uses("d")}`,
    wanted: "d =; vm =",
  },
  {
    title: "an image with librbd encryption, its passphrase in an encrypted secret",
    line: `${kvm} -object secret,id=master,file=/run/key,format=base64 -object {"qom-type":"secret","id":"luks","data":"REDACTED","keyid":"master","iv":"x","format":"base64"} ${node("d", ',"encrypt":{"format":"luks2","key-secret":"luks"}')} ${uses("d")}`,
    wanted: "disks d; d =; vm =",
  },
  {
    title: "the cephx key from a file",
    line: `${kvm} -object secret,id=s,file=/etc/ceph/vm.key,format=base64 ${node("d", ',"key-secret":"s"')} ${uses("d")}`,
    wanted: "d =; vm =",
  },
  {
    title: "the cephx key in a plain-text secret",
    line: `${kvm} -object {"qom-type":"secret","id":"s","data":"REDACTED","format":"base64"} ${node("d", ',"key-secret":"s"')} ${uses("d")}`,
    wanted: "d =key-exposed; vm =",
  },
  {
    title: "a namespace of a pool, and -set that corrects the cache mode",
    line: `${kvm} -drive file=rbd:p/ns/i:id=u,format=raw,discard=unmap,if=none,id=d ${uses("d")} -set drive.d.cache=none`,
    wanted: "d =; vm =",
  },
  {
    title: "multipath and LVM over an unknown device: RBD is not assumed",
    line: `${kvm} -drive file=/dev/mapper/mpatha,format=raw,if=none,id=a ${uses("a")} -drive file=/dev/vg0/data,format=raw,if=none,id=b,cache=none,aio=threads ${uses("b").replace("iothread=t", "scsi=off")}`,
    wanted: "a =; b =; vm =",
  },
  {
    title: "the kernel's device with the page cache, chosen",
    line: `${kvm} -drive file=/dev/rbd/p/i,format=raw,if=none,id=d,cache=writeback,aio=threads,discard=unmap ${uses("d")}`,
    wanted: "d =krbd =cache-writeback-depends; vm =",
  },
  {
    title: "the kernel's device with io_uring",
    line: `${kvm} -blockdev {"driver":"host_device","filename":"/dev/rbd0","aio":"io_uring","node-name":"h","cache":{"direct":true},"discard":"unmap"} -blockdev {"driver":"raw","file":"h","node-name":"d","cache":{"direct":true},"discard":"unmap"} ${uses("d")}`,
    wanted: "d =krbd; vm =",
  },
  {
    title: "hot-pluggable vCPUs: one queue for each possible vCPU",
    line: `/usr/bin/qemu-system-x86_64 -machine q35,accel=kvm -cpu host -smp 2,maxcpus=8 -m 4G ${drive} -device virtio-blk-pci,drive=d,num-queues=8`,
    wanted: "d =iothread-missing; vm =",
  },
  {
    title: "kvm-spice without -accel tries KVM first; an unpinned machine has a queue for each vCPU",
    line: `/usr/bin/kvm-spice -M q35 -cpu host -smp 16 -m 4G -object iothread,id=t ${drive} ${uses("d")}`,
    wanted: "d =; vm =",
  },
  {
    title: "one queue on a SCSI controller for 8 vCPUs, written",
    line: `/usr/bin/qemu-system-x86_64 -machine q35,accel=kvm -cpu host -smp 8,sockets=1,dies=1,clusters=1,cores=4,threads=2 -m 4G -object iothread,id=t ${drive} -device virtio-scsi-pci,id=s,iothread=t,num_queues=1 -device scsi-hd,bus=s.0,drive=d`,
    wanted: "d =queues-single; vm =",
  },
  {
    title: "-smp without a number counts every level",
    line: `/usr/bin/qemu-system-x86_64 -machine pc-q35-4.2,accel=kvm -cpu host -smp sockets=1,dies=2,clusters=1,cores=2,threads=1 -m 4G -object iothread,id=t ${drive} ${uses("d")}`,
    wanted: "d =queues-single; vm =",
  },
  {
    title: "Windows with enlightenments and an IOMMU",
    line: `/usr/bin/qemu-system-x86_64 -name 'win 11' -machine type=q35,accel=kvm,kernel_irqchip=split -device intel-iommu,intremap=on,device-iotlb=on -cpu host,hv_relaxed,hv_vapic,hv_spinlocks=0x1fff,hv_stimer,hv_synic,hv_time -smp 4 -m 8G -object iothread,id=t ${drive} ${uses("d")}`,
    wanted: "d =; vm =",
  },
  {
    title: "words of /proc/PID/cmdline, one a line",
    line: `${kvm} ${drive} ${uses("d")}`.replaceAll(" ", "\n"),
    wanted: "disks d; d =; vm =",
  },
  {
    title: "a tree of systemctl status",
    line: `● machine-qemu\\x2d1.scope - Virtual Machine\n     CGroup: /machine.slice/machine-qemu\\x2d1.scope\n             └─4711 ${kvm} ${drive} ${uses("d")}`,
    wanted: "disks d; d =; vm =",
  },
  {
    title: "vhost-user and vDPA devices have no node, and a disk on NVMe has no queue to count",
    line: `${kvm} -chardev socket,id=c,path=/run/vhost.sock -device vhost-user-blk-pci,chardev=c,num-queues=4 -blockdev driver=virtio-blk-vhost-vdpa,path=/dev/vhost-vdpa-0,node-name=v,cache.direct=on -device virtio-blk-pci,drive=v ${drive} -device nvme,serial=1,drive=d`,
    wanted: "disks d v; d =; v =; vm =",
  },
  {
    title: "an older secret syntax and several monitors with v1 and v2 addresses",
    line: `${kvm} -drive file=rbd:p/i:id=u:key_secret=x:mon_host=[v2\\:192.0.2.1\\:3300,,v1\\:192.0.2.1\\:6789]\\;[v2\\:192.0.2.2\\:3300,,v1\\:192.0.2.2\\:6789],format=raw,cache=none,discard=unmap,if=none,id=d ${uses("d")}`,
    wanted: "d =; vm =",
  },
];

describe("unusual QEMU command lines", () => {
  for (const { title, line, beside, wanted } of shapes)
    it(title, () => void expectFindings({ "qemu.txt": `${line}\n`, ...beside }, wanted));
});
