import { describe, it } from "node:test";
import { expectFindings } from "../support/expect-findings.ts";

interface Shape {
  title: string;
  line: string;
  beside?: Record<string, string>;
  wanted: string;
}

const kvm = "/usr/bin/qemu-system-x86_64 -machine q35,accel=kvm -cpu host -smp 4 -m 4G";
const mons = '"server":[{"host":"192.0.2.11","port":"6789"},{"host":"192.0.2.12","port":"6789"}]';

const shapes: Shape[] = [
  {
    title: "libvirt 9 and QEMU 7: a storage node and a format node, all in JSON",
    line: `/usr/bin/qemu-system-x86_64 -name guest=web,debug-threads=on -S -object {"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-1-web/master-key.aes"} -machine pc-q35-7.2,usb=off,memory-backend=pc.ram -accel kvm -cpu host,migratable=on -m 8192 -smp 8,sockets=8,cores=1,threads=1 -object {"qom-type":"iothread","id":"iothread1"} -object {"qom-type":"secret","id":"libvirt-1-storage-auth-secret0","data":"REDACTED","keyid":"masterKey0","iv":"x","format":"base64"} -blockdev {"driver":"rbd","pool":"vms","image":"web",${mons},"user":"vmuser","auth-client-required":["cephx","none"],"key-secret":"libvirt-1-storage-auth-secret0","node-name":"libvirt-1-storage","cache":{"direct":true,"no-flush":false},"auto-read-only":true,"discard":"unmap"} -blockdev {"node-name":"libvirt-1-format","read-only":false,"discard":"unmap","cache":{"direct":true,"no-flush":false},"driver":"raw","file":"libvirt-1-storage"} -device {"driver":"virtio-blk-pci","iothread":"iothread1","bus":"pci.3","drive":"libvirt-1-format","id":"virtio-disk0","bootindex":1,"write-cache":"on"}`,
    wanted: "libvirt-1-format =raw-layer; vm =",
  },
  {
    title: "the same with the discard on the storage node alone, and the cache left to its default",
    line: `/usr/bin/qemu-system-x86_64 -name guest=web -machine pc-q35-7.2 -accel kvm -cpu host -m 8192 -smp 2 -object {"qom-type":"iothread","id":"iothread1"} -blockdev {"driver":"rbd","pool":"vms","image":"web",${mons},"user":"vmuser","node-name":"libvirt-1-storage","auto-read-only":true,"discard":"unmap"} -blockdev {"node-name":"libvirt-1-format","read-only":false,"driver":"raw","file":"libvirt-1-storage"} -device {"driver":"virtio-blk-pci","iothread":"iothread1","drive":"libvirt-1-format","id":"virtio-disk0"}`,
    wanted: "libvirt-1-format =raw-layer =discard-off =cache-librbd-on; vm =",
  },
  {
    title: "libvirt before -blockdev: -drive with escaped monitors",
    line: "/usr/libexec/qemu-kvm -name guest=instance-00000007,debug-threads=on -machine pc-i440fx-rhel7.6.0,accel=kvm,usb=off -cpu Skylake-Server -m 4096 -smp 2 -object secret,id=virtio-disk0-secret0,data=REDACTED,keyid=masterKey0,iv=x,format=base64 -drive file=rbd:vms/a_disk:id=nova:auth_supported=cephx\\;none:mon_host=192.0.2.11\\:6789\\;192.0.2.12\\:6789,file.password-secret=virtio-disk0-secret0,format=raw,if=none,id=drive-virtio-disk0,cache=none,discard=unmap -device virtio-blk-pci,scsi=off,bus=pci.0,drive=drive-virtio-disk0,id=virtio-disk0,bootindex=1,write-cache=on",
    wanted: "drive-virtio-disk0 =iothread-missing; vm =machine-i440fx",
  },
  {
    title: "dotted options in place of a name, with cache.direct",
    line: `${kvm} -object iothread,id=t -drive driver=raw,file.driver=rbd,file.pool=p,file.image=i,file.user=u,cache.direct=on,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    wanted: "d =; vm =",
  },
  {
    title: "json: in a -drive",
    line: `${kvm} -object iothread,id=t -drive file=json:{"driver":"raw",,"file":{"driver":"rbd",,"pool":"p",,"image":"i",,"user":"u"}},cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    wanted: "d =; vm =",
  },
  {
    title: "rbd_cache=false in the name does not keep QEMU from switching the cache on",
    line: `${kvm} -object iothread,id=t -drive file=rbd:p/i:id=u:rbd_cache=false,format=raw,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    wanted: "d =cache-librbd-on; vm =",
  },
  {
    title:
      "an option in the drive's string overrides ceph.conf, and the disk reads another file than the given one",
    line: `${kvm} -object iothread,id=t -drive file=rbd:p/i:id=u:conf=/etc/ceph/ceph.conf:rbd_cache_size=1048576:mon_host=192.0.2.11\\;192.0.2.12,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    beside: {
      "ceph.conf": "[global]\nmon_host = 192.0.2.1,192.0.2.2\n[client]\nrbd cache size = 67108864\n",
    },
    wanted: "d =; vm =conf-elsewhere",
  },
  {
    title: "one ceph.conf for all disks, with other monitors in the string, is right",
    line: `${kvm} -object iothread,id=t -drive file=rbd:p/i:id=u:conf=/etc/pve/ceph.conf:mon_host=192.0.2.11\\;192.0.2.12,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    beside: {
      "ceph.conf": "[global]\nmon_host = 192.0.2.1,192.0.2.2\n[client]\nrbd cache size = 67108864\n",
    },
    wanted: "d =; vm =",
  },
  {
    title: "CEPH_ARGS before the program: librados takes settings from it",
    line: `CEPH_ARGS="--rbd-cache-size 1048576" ${kvm} -object iothread,id=t -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    wanted: "d =; vm =conf-elsewhere",
  },
  {
    title: "-hda and -cdrom in RBD on the old board",
    line: "/usr/bin/qemu-system-x86_64 -enable-kvm -cpu host -m 2G -hda rbd:p/i:id=u -cdrom rbd:iso/debian.iso:id=u",
    wanted: "ide0-hd0 =bus-ide =cache-librbd-on =discard-off; ide1-cd0 =; vm =machine-i440fx",
  },
  {
    title: "Windows: the system on SATA, the data on virtio",
    line: `${kvm} -object iothread,id=t -drive file=rbd:p/c:id=u,format=raw,cache=none,discard=unmap,if=none,id=c -device ide-hd,drive=c,bus=ide.0 -drive file=rbd:p/d:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t -drive file=/iso/virtio-win.iso,media=cdrom,if=none,id=cd -device ide-cd,drive=cd,bus=ide.1`,
    wanted: "c =bus-sata; d =; cd =; vm =",
  },
  {
    title: "an AHCI controller on the old board",
    line: "/usr/bin/kvm -M pc -cpu host -m 2G -device ich9-ahci,id=ahci -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device ide-hd,drive=d,bus=ahci.0",
    wanted: "d =bus-sata; vm =machine-i440fx",
  },
  {
    title: "an ARM server under KVM",
    line: "/usr/bin/qemu-system-aarch64 -M virt,gic-version=3 -accel kvm -cpu host -smp 8 -m 16G -object iothread,id=t -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t",
    wanted: "d =; vm =",
  },
  {
    title: "an ARM guest emulated, its drive on the board's default interface",
    line: "/usr/bin/qemu-system-aarch64 -M virt -cpu cortex-a72 -m 2G -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap",
    wanted: "virtio0 =iothread-missing; vm =accel-tcg",
  },
  {
    title: "a microvm",
    line: "/usr/bin/qemu-system-x86_64 -M microvm,accel=kvm -cpu host -m 512 -object iothread,id=t -drive id=d,file=rbd:p/i:id=u,format=raw,if=none,cache=none,discard=unmap -device virtio-blk-device,drive=d,iothread=t",
    wanted: "d =; vm =",
  },
  {
    title: "-readconfig holds the devices",
    line: "/usr/bin/qemu-system-x86_64 -enable-kvm -cpu host -smp 2 -readconfig /etc/vm.cfg",
    beside: {
      "vm.cfg":
        '[machine]\n  type = "q35"\n\n[object "t"]\n  qom-type = "iothread"\n\n[drive "d"]\n  file = "rbd:p/i:id=u"\n  if = "none"\n  format = "raw"\n  cache = "none"\n  discard = "unmap"\n\n[device "v"]\n  driver = "virtio-blk-pci"\n  drive = "d"\n  iothread = "t"\n',
    },
    wanted: "d =; vm =",
  },
  {
    title: "-set puts a thread on a device",
    line: `${kvm} -object iothread,id=t -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,id=v -set device.v.iothread=t`,
    wanted: "d =; vm =",
  },
  {
    title: "-global gives a thread and queues to all virtio disks",
    line: `${kvm} -object iothread,id=t -global virtio-blk-pci.iothread=t -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,id=v`,
    wanted: "d =; vm =",
  },
  {
    title: "four threads mapped to the queues of one disk, by JSON",
    line: `${kvm} -object iothread,id=a -object iothread,id=b -blockdev {"driver":"rbd","node-name":"n","pool":"p","image":"i","user":"u","cache":{"direct":true},"discard":"unmap"} -device {"driver":"virtio-blk-pci","drive":"n","num-queues":4,"iothread-vq-mapping":[{"iothread":"a"},{"iothread":"b"}]}`,
    wanted: "n =; vm =",
  },
  {
    title: "a throttle filter with limits above one rbd node, one without above the other",
    line: `${kvm} -object iothread,id=a -object iothread,id=b -object throttle-group,id=g,x-iops-total=500 -object throttle-group,id=none -blockdev driver=rbd,node-name=r1,pool=p,image=i,user=u,cache.direct=on,discard=unmap -blockdev driver=throttle,node-name=t1,throttle-group=g,file=r1,discard=unmap -device virtio-blk-pci,drive=t1,iothread=a -blockdev driver=rbd,node-name=r2,pool=p,image=j,user=u,cache.direct=on,discard=unmap -blockdev driver=throttle,node-name=t2,throttle-group=none,file=r2,discard=unmap -device virtio-blk-pci,drive=t2,iothread=b`,
    wanted: "t1 =throttled; t2 =raw-layer; vm =",
  },
  {
    title: "a raw node that shows a part of an image is not a bare layer",
    line: `${kvm} -object iothread,id=a -blockdev driver=rbd,node-name=r1,pool=p,image=i,user=u,cache.direct=on,discard=unmap -blockdev driver=raw,node-name=part,offset=1048576,size=1073741824,file=r1,discard=unmap,cache.direct=on -device virtio-blk-pci,drive=part,iothread=a`,
    wanted: "part =; vm =",
  },
  {
    title: "no disk is on RBD: a file, a block device, NBD, iSCSI, vhost-user",
    line: "/usr/bin/qemu-system-x86_64 -enable-kvm -cpu host -machine pc -drive file=/x.qcow2 -drive file=nbd:unix:/s,if=virtio -drive file=iscsi://192.0.2.1/iqn.x/1,if=virtio -drive file=/dev/sdb,if=virtio,format=raw -chardev socket,id=c,path=/v -device vhost-user-blk-pci,chardev=c",
    wanted: "ide0-hd0 =; virtio0 =; virtio1 =; virtio2 =",
  },
  {
    title: "the kernel's device, O_DIRECT and native",
    line: `${kvm} -object iothread,id=t -drive file=/dev/rbd/p/i,format=raw,cache=none,aio=native,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    wanted: "d =krbd; vm =",
  },
  {
    title: "rbd-nbd's device with its mapping",
    line: `${kvm} -object iothread,id=t -drive file=/dev/nbd0,format=raw,cache=none,aio=native,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    beside: { "rbd-map.txt": "rbd-nbd map p/i --id u\n" },
    wanted: "d =rbd-nbd; vm =",
  },
  {
    title: "the kernel's device with a mapping that is shown: no -o",
    line: `${kvm} -object iothread,id=t -drive file=/dev/rbd0,format=raw,cache=none,aio=native,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    beside: { "rbd-map.txt": "rbd map vms/i --id vmuser\n" },
    wanted: "d =krbd =krbd-queue-depth =rxbounce-missing; vm =",
  },
  {
    title: "the kernel's device in secure mode with a shallow queue",
    line: `${kvm} -object iothread,id=t -drive file=/dev/rbd0,format=raw,cache=none,aio=native,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    beside: { "rbd-map.txt": "rbd map vms/i --id vmuser -o ms_mode=secure,queue_depth=64,rxbounce\n" },
    wanted: "d =krbd =krbd-queue-depth =secure-cost; vm =",
  },
  {
    title: "64 GiB without huge pages; the same on hugetlbfs",
    line: `${kvm.replace("4G", "64G")} -object iothread,id=t -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    wanted: "d =; vm =hugepages-missing",
  },
  {
    title: "on hugetlbfs",
    line: `${kvm.replace("4G", "64G")} -mem-path /dev/hugepages -mem-prealloc -object iothread,id=t -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    wanted: "d =; vm =",
  },
  {
    title: "the distribution's own names of machine types: Ubuntu's alias, RHEL's",
    line: "/usr/bin/kvm -machine ubuntu,accel=kvm -cpu host -smp 4 -m 4G -object iothread,id=t -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t",
    wanted: "d =; vm =machine-i440fx",
  },
  {
    title: "a command line of Incus: RBD disks are plugged in over QMP and are not on it",
    line: "/usr/bin/qemu-system-x86_64 -S -name vm1 -uuid x -daemonize -cpu host,migratable=no -nographic -serial chardev:console -nodefaults -no-user-config -sandbox on -readconfig /run/incus/vm1/qemu.conf -machine q35,accel=kvm",
    wanted: "vm -accel-tcg -cpu-generic -machine-i440fx",
  },
  {
    title: "a seed image beside the data",
    line: `${kvm} -object iothread,id=t -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t -drive file=rbd:p/vm1-cidata:id=u,format=raw,if=virtio,id=seed`,
    wanted: "d =; seed =; vm =",
  },
  {
    title: "two disks share the one thread, a third has its own",
    line: `${kvm} -object iothread,id=t -object iothread,id=s ${["a", "b", "c"].map((id) => `-drive file=rbd:p/${id}:id=u,format=raw,cache=none,discard=unmap,if=none,id=${id} -device virtio-blk-pci,drive=${id},iothread=${id === "c" ? "s" : "t"}`).join(" ")}`,
    wanted: "a =; b =; c =; vm =iothread-shared",
  },
  {
    title: "one virtio-scsi controller with a thread serves two disks",
    line: `${kvm} -object iothread,id=t -device virtio-scsi-pci,id=s,iothread=t ${["a", "b"].map((id) => `-drive file=rbd:p/${id}:id=u,format=raw,cache=none,discard=unmap,if=none,id=${id} -device scsi-hd,bus=s.0,drive=${id}`).join(" ")}`,
    wanted: "a =; b =; vm =iothread-shared",
  },
  {
    title: "LSI on a line",
    line: `${kvm} -device lsi53c895a,id=s -drive file=rbd:p/a:id=u,format=raw,cache=none,discard=unmap,if=none,id=a -device scsi-hd,bus=s.0,drive=a`,
    wanted: "a =scsi-lsi; vm =",
  },
  {
    title: "host memory of two nodes, which the guest sees as one",
    line: `${kvm} -object memory-backend-ram,id=m,size=4G,host-nodes=0-1,policy=interleave -numa node,memdev=m -object iothread,id=t -drive file=rbd:p/i:id=u,format=raw,cache=none,discard=unmap,if=none,id=d -device virtio-blk-pci,drive=d,iothread=t`,
    wanted: "d =; vm =numa-split",
  },
];

describe("common QEMU command lines", () => {
  for (const { title, line, beside, wanted } of shapes)
    it(title, () => void expectFindings({ "qemu.txt": `${line}\n`, ...beside }, wanted));
});
