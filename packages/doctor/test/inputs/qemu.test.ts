import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expectFindings } from "../support/expect-findings.ts";

const kvm = "/usr/bin/qemu-system-x86_64 -accel kvm -machine q35 -cpu host -smp 4 -m 4096";
const thread = "-object iothread,id=t0";
const disk = "-device virtio-blk-pci,drive=d0,iothread=t0";
const good = "format=raw,cache=none,discard=unmap,if=none,id=d0";

const cases: [title: string, text: string, wanted: string][] = [
  [
    "a well-made drive has nothing to mend",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "d0 =; vm =",
  ],
  [
    "a -drive without if= is IDE on pc and SATA on q35, under QEMU's own name",
    `/usr/bin/kvm -machine q35 -drive file=rbd:p/i:id=u,format=raw`,
    "ide0-hd0 +bus-sata -bus-ide -iothread-missing",
  ],
  [
    "-hda is the first disk of the IDE bus",
    "/usr/bin/kvm -hda rbd:p/i:id=u",
    "ide0-hd0 +bus-ide; vm -accel-tcg",
  ],
  [
    "if=virtio without an id is virtio0, and has no thread",
    `${kvm} -drive file=rbd:p/i:id=u,if=virtio,format=raw,cache=none,discard=on`,
    "virtio0 =iothread-missing",
  ],
  [
    "a machine type older than 5.2 has one queue, with enough vCPUs to miss more",
    `/usr/bin/kvm -machine pc-q35-5.1 -cpu host -smp 8 ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "d0 =queues-single",
  ],
  [
    "two vCPUs do not miss more queues",
    `/usr/bin/kvm -machine pc-q35-5.1 -cpu host -smp 2 ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "d0 =",
  ],
  [
    "Ubuntu's and Red Hat's machine types stand for releases of QEMU",
    `/usr/bin/kvm -machine pc-q35-focal -cpu host -smp 8 ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "d0 +queues-single",
  ],
  [
    "rhel8.4 and later have a queue for each vCPU",
    `/usr/libexec/qemu-kvm -machine pc-q35-rhel8.6.0 -cpu host -smp 8 ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "d0 =; vm =",
  ],
  [
    "queues that are asked for, one thread: to know; more than vCPUs: to mend",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u,${good} -device virtio-blk-pci,drive=d0,iothread=t0,num-queues=8`,
    "d0 =queues-beyond-vcpus =queues-unmapped-iothreads",
  ],
  [
    "queues that are mapped to several threads are what they should be",
    `${kvm} ${thread} -object iothread,id=t1 -drive file=rbd:p/i:id=u,${good} -device {"driver":"virtio-blk-pci","drive":"d0","num-queues":4,"iothread-vq-mapping":[{"iothread":"t0"},{"iothread":"t1"}]}`,
    "d0 =; vm -iothread-shared",
  ],
  [
    "two disks on one thread share it",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u,${good} ${disk} -drive file=rbd:p/j:id=u,format=raw,cache=none,discard=unmap,if=none,id=d1 -device virtio-blk-pci,drive=d1,iothread=t0`,
    "d0 =; d1 =; vm =iothread-shared",
  ],
  [
    "disks of one virtio-scsi controller share its thread",
    `${kvm} ${thread} -device virtio-scsi-pci,id=s0,iothread=t0 -drive file=rbd:p/i:id=u,${good} -device scsi-hd,bus=s0.0,drive=d0 -drive file=rbd:p/j:id=u,format=raw,cache=none,discard=unmap,if=none,id=d1 -device scsi-hd,bus=s0.0,drive=d1`,
    "d0 =; vm =iothread-shared",
  ],
  [
    "a SCSI disk on an LSI adapter",
    `${kvm} -device lsi53c895a,id=s0 -drive file=rbd:p/i:id=u,${good} -device scsi-hd,bus=s0.0,drive=d0`,
    "d0 =scsi-lsi",
  ],
  [
    "ide-hd on an ahci controller is SATA, on pc's own controller IDE",
    `/usr/bin/kvm -cpu host -device ahci,id=ahci0 -drive file=rbd:p/i:id=u,${good} -device ide-hd,drive=d0,bus=ahci0.0`,
    "d0 =bus-sata",
  ],
  [
    "directsync keeps librbd's cache off, writethrough turns it on without being writeback",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u,format=raw,discard=unmap,if=none,id=d0,cache=writethrough ${disk} -drive file=rbd:p/j:id=u,format=raw,discard=unmap,if=none,id=d1,cache=directsync -object iothread,id=t1 -device virtio-blk-pci,drive=d1,iothread=t1`,
    "d0 =cache-librbd-on; d1 =",
  ],
  [
    "unsafe drops flushes",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u,format=raw,discard=unmap,if=none,id=d0,cache=unsafe ${disk}`,
    "d0 =cache-librbd-on =cache-unsafe",
  ],
  [
    "an inline child inherits cache.direct from its parent, and has unmap below a format",
    `${kvm} ${thread} -blockdev driver=raw,node-name=n0,cache.direct=on,discard=unmap,file.driver=rbd,file.pool=p,file.image=i,file.user=u -device virtio-blk-pci,drive=n0,iothread=t0`,
    "n0 =raw-layer",
  ],
  [
    "a node of its own does not inherit: its cache and its discard count",
    `${kvm} ${thread} -blockdev driver=rbd,node-name=s0,pool=p,image=i,user=u -blockdev driver=raw,node-name=n0,cache.direct=on,discard=unmap,file=s0 -device virtio-blk-pci,drive=n0,iothread=t0`,
    "n0 =cache-librbd-on =discard-off =raw-layer",
  ],
  [
    "libvirt's storage node says unmap, the format node decides",
    `${kvm} ${thread} -blockdev {"driver":"rbd","pool":"p","image":"i","user":"u","node-name":"libvirt-1-storage","cache":{"direct":true},"discard":"unmap"} -blockdev {"driver":"raw","node-name":"libvirt-1-format","cache":{"direct":true},"file":"libvirt-1-storage"} -device virtio-blk-pci,drive=libvirt-1-format,iothread=t0`,
    "libvirt-1-format =discard-off =raw-layer",
  ],
  [
    "a raw node with a size is no idle layer",
    `${kvm} ${thread} -blockdev {"driver":"raw","size":1048576,"node-name":"n0","discard":"unmap","cache":{"direct":true},"file":{"driver":"rbd","pool":"p","image":"i","user":"u"}} -device virtio-blk-pci,drive=n0,iothread=t0`,
    "n0 =",
  ],
  [
    "a throttle group with limits caps, one with zeros does not",
    `${kvm} ${thread} -object throttle-group,id=g0,x-iops-total=500 -object {"qom-type":"throttle-group","id":"g1","limits":{"iops-total":0}} -blockdev {"driver":"throttle","throttle-group":"g0","node-name":"n0","discard":"unmap","cache":{"direct":true},"file":{"driver":"rbd","pool":"p","image":"i","user":"u"}} -device virtio-blk-pci,drive=n0,iothread=t0 -blockdev {"driver":"throttle","throttle-group":"g1","node-name":"n1","discard":"unmap","cache":{"direct":true},"file":{"driver":"rbd","pool":"p","image":"j","user":"u"}} -object iothread,id=t1 -device virtio-blk-pci,drive=n1,iothread=t1`,
    "n0 =throttled; n1 =raw-layer",
  ],
  [
    "qcow2 inside RBD is found, on other storage it is nobody's business",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u,format=qcow2,cache=none,discard=unmap,if=none,id=d0 ${disk} -drive file=/var/lib/x.qcow2,format=qcow2,if=none,id=d1 -device virtio-blk-pci,drive=d1`,
    "d0 =format-qcow2-on-rbd; d1 =",
  ],
  [
    "-drive with dotted keys, and file=json:",
    `${kvm} ${thread} -drive file.driver=rbd,file.pool=p,file.image=i,file.user=u,${good} ${disk} -drive file=json:{"driver":"raw",,"file":{"driver":"rbd",,"pool":"p",,"image":"j"}},if=none,id=d1,cache=none,discard=on -object iothread,id=t1 -device virtio-blk-pci,drive=d1,iothread=t1`,
    "d0 =; d1 =client-admin",
  ],
  [
    "several monitors with escapes, commas doubled",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u:mon_host=192.0.2.1\\:6789\\;192.0.2.2\\:6789:auth_supported=cephx\\;none,${good} ${disk}`,
    "d0 =",
  ],
  [
    "both addresses of one monitor are one monitor",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u:mon_host=[v2\\:192.0.2.1\\:3300,,v1\\:192.0.2.1\\:6789],${good} ${disk}`,
    "d0 =mon-single",
  ],
  [
    "authentication none and nothing else; then nobody is admin",
    `${kvm} ${thread} -drive file=rbd:p/i:auth_supported=none,${good} ${disk}`,
    "d0 =auth-none",
  ],
  [
    "a secret in the open exposes the key, one in a file or encrypted does not",
    `${kvm} ${thread} -object secret,id=k0,data=REDACTED -object secret,id=k1,file=/etc/key -blockdev rbd,node-name=n0,pool=p,image=i,user=u,key-secret=k0,cache.direct=on,discard=unmap -device virtio-blk-pci,drive=n0,iothread=t0 -blockdev rbd,node-name=n1,pool=p,image=j,user=u,key-secret=k1,cache.direct=on,discard=unmap -object iothread,id=t1 -device virtio-blk-pci,drive=n1,iothread=t1`,
    "n0 =key-exposed; n1 =",
  ],
  [
    "options in the drive's name: encryption on the wire is a cost to know",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u:ms_client_mode=secure,${good} ${disk}`,
    "d0 =secure-cost",
  ],
  [
    "-set changes what stands before it",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u,${good} -device virtio-blk-pci,id=v0,drive=d0 -set device.v0.iothread=t0`,
    "d0 =",
  ],
  [
    "machine and accelerator: the last -machine counts, kvm first counts",
    `/usr/bin/qemu-system-x86_64 -machine pc -M q35,accel=kvm:tcg -cpu kvm64 ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "vm =cpu-generic",
  ],
  [
    "-accel tcg is emulation, and then the CPU model is no matter",
    `/usr/bin/kvm -accel tcg -machine q35 ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "vm =accel-tcg",
  ],
  [
    "another architecture has neither i440fx nor qemu64",
    `/usr/bin/qemu-system-aarch64 -accel kvm -machine virt ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "d0 =; vm =",
  ],
  [
    "32 GiB without huge pages is worth knowing, with them it is not",
    `${kvm.replace("4096", "64G")} ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "vm =hugepages-missing",
  ],
  [
    "memfd with hugetlb has huge pages",
    `${kvm.replace("4096", "64G")} -object memory-backend-memfd,id=m,size=64G,hugetlb=on ${thread} -drive file=rbd:p/i:id=u,${good} ${disk}`,
    "vm =",
  ],
  [
    "EFI variables: cached with the policy they are kept, without it they are not",
    `${kvm} -drive if=pflash,unit=0,format=raw,readonly=on,file=/x.fd -drive if=pflash,unit=1,format=raw,id=e0,cache=writeback,file=rbd:p/e:id=u:rbd_cache_policy=writeback -drive file=rbd:p/i:id=u,${good} ${thread} ${disk}`,
    "e0 =; d0 =",
  ],
  [
    "EFI variables as a node of -machine pflash1",
    `/usr/bin/kvm -machine q35,pflash1=e0 -cpu host -blockdev rbd,node-name=e0,pool=p,image=e,user=u,cache.direct=on`,
    "e0 =efivars-uncached",
  ],
  [
    "a disk that the kernel maps asks for nothing of librbd",
    `${kvm} ${thread} -drive file=/dev/rbd/p/i,format=raw,if=none,id=d0,cache=none,aio=native,discard=unmap ${disk}`,
    "d0 =krbd",
  ],
  [
    "writeback on a mapped disk is the page cache",
    `${kvm} ${thread} -drive file=/dev/rbd0,format=raw,if=none,id=d0,cache=writeback,aio=threads,discard=unmap ${disk}`,
    "d0 =cache-writeback-depends =krbd",
  ],
  [
    "aio= on librbd does nothing, on local files it is nobody's business",
    `${kvm} ${thread} -drive file=rbd:p/i:id=u,aio=io_uring,${good} ${disk} -drive file=/var/x.raw,aio=native,cache=none,if=none,id=d1`,
    "d0 =aio-without-effect; d1 =",
  ],
  [
    "names with spaces and JSON with spaces, as ps prints them",
    `${kvm} -name guest=my vm with -dash,debug-threads=on ${thread} -blockdev {"driver": "rbd", "pool": "p", "image": "a b", "user": "u", "node-name": "n0", "cache": {"direct": true}, "discard": "unmap"} -device virtio-blk-pci,drive=n0,iothread=t0`,
    "n0 =; vm =",
  ],
  [
    "CD-ROMs and floppies are no data path",
    `${kvm} -drive file=rbd:p/iso:id=u,media=cdrom,if=none,id=c0 -device ide-cd,drive=c0 -cdrom rbd:p/iso2:id=u`,
    "c0 =; ide2-cd0 =",
  ],
];

describe("a QEMU command line", () => {
  for (const [title, text, wanted] of cases)
    it(title, () => void expectFindings({ "qemu.txt": text }, wanted));

  it("is read from a shell, with quotes and continued lines, as well as from ps", () => {
    const text = `${kvm} \\\n  -object 'iothread,id=t0' \\\n  -blockdev '{"driver":"rbd","pool":"p","image":"i","user":"u","node-name":"n0","cache":{"direct":true},"discard":"unmap"}' \\\n  -device virtio-blk-pci,drive=n0,iothread=t0\n`;
    expectFindings({ "run.sh": text }, "n0 =; vm =");
  });

  it("is found in libvirt's log: the last start counts", () => {
    const start =
      "2026-01-01 10:00:00.000+0000: starting up libvirt version: 11.3.0, qemu version: 10.0.2, kernel: 6.12";
    const line = (cache: string) =>
      `${start}\nLC_ALL=C \\\nPATH=/usr/bin \\\n/usr/bin/qemu-system-x86_64 \\\n-name guest=web,debug-threads=on \\\n-accel kvm \\\n-machine q35 \\\n-cpu host \\\n-drive file=rbd:p/i:id=u,${cache},if=none,id=d0,discard=unmap \\\n-object iothread,id=t0 \\\n-device virtio-blk-pci,drive=d0,iothread=t0\nchar device redirected to /dev/pts/1 (label charserial0)\n`;
    const { name } = expectFindings(
      { "web.log": line("cache=writeback") + line("cache=none") },
      "d0 =; vm =",
    );
    assert.equal(name, "web");
  });

  it("takes the file that -readconfig names from the other inputs", () => {
    const config =
      '[drive "d0"]\n  file = "rbd:p/i:id=u"\n  if = "none"\n  cache = "none"\n  discard = "unmap"\n[device "v0"]\n  driver = "virtio-blk-pci"\n  drive = "d0"\n  iothread = "t0"\n[object "t0"]\n  qom-type = "iothread"\n[machine]\n  type = "q35"\n  accel = "kvm"\n';
    const files = {
      "qemu.txt": "/usr/bin/qemu-system-x86_64 -cpu host -readconfig /run/x/qemu.conf",
      "qemu.conf": config,
    };
    expectFindings(files, "d0 =; vm =");
    const { unseen } = expectFindings({ "qemu.txt": files["qemu.txt"] }, "vm -cpu-generic");
    assert.match(unseen.join(), /-readconfig names it/);
  });

  it("names a -blockdev that it cannot read, and continues", () => {
    const { unseen } = expectFindings(
      { "qemu.txt": `${kvm} -blockdev {"driver":"rbd", -device virtio-blk-pci,drive=x` },
      "vm =",
    );
    assert.match(unseen.join(), /not valid JSON/);
  });
});
