import { describe, it } from "node:test";
import { expectFindings } from "../support/expect-findings.ts";

interface Shape {
  title: string;
  files: Record<string, string>;
  wanted: string;
}

const storages =
  "rbd: ceph-vm\n\tcontent images,rootdir\n\tkrbd 0\n\tpool vmpool\n\nrbd: ceph-k\n\tcontent images\n\tkrbd 1\n\tpool kpool\n\ndir: local\n\tpath /var/lib/vz\n\tcontent iso\n";
const proxmox = (conf: string) => ({ "100.conf": conf, "storage.cfg": storages });
const one = (template: string) => ({ "template.one": template });
const modern = 'OS = [ ARCH="x86_64", MACHINE="q35" ]\nCPU_MODEL = [ MODEL="host-passthrough" ]\n';

const shapes: Record<string, Shape[]> = {
  "OpenNebula's templates alone": [
    {
      title: "a disk in a Ceph datastore on virtio, with comments, over several lines",
      files: one(
        `NAME = "web # no comment"\nCPU = 2\nVCPU = "2" # two\nMEMORY = "4096"\nDISK = [\n  DATASTORE = "ceph_ds",\n  IMAGE = "debian",\n  DEV_PREFIX = "vd",\n  DISCARD = "unmap",\n  TOTAL_IOPS_SEC = "500" ]\n${modern}`,
      ),
      wanted: "vda =cache-librbd-on =iothread-missing =throttled; vm =",
    },
    {
      title: "every setting that makes it fast",
      files: one(
        `NAME="db"\nVCPU="4"\nMEMORY="8192"\nDISK=[DATASTORE="ceph",IMAGE="d",DEV_PREFIX="vd",CACHE="none",DISCARD="unmap"]\nFEATURES=[IOTHREADS="1"]\n${modern}`,
      ),
      wanted: "vda =; vm =",
    },
    {
      title: "SCSI with one queue as the driver writes it, and with a queue a vCPU",
      files: one(
        `NAME="a"\nVCPU="8"\nMEMORY="8192"\nDISK=[TM_MAD="ceph",DEV_PREFIX="sd",CACHE="none",DISCARD="unmap"]\nFEATURES=[IOTHREADS="1"]\n${modern}`,
      ),
      wanted: "sda =queues-single; vm =",
    },
    {
      title: "SCSI with automatic queues",
      files: one(
        `NAME="a"\nVCPU="8"\nMEMORY="8192"\nDISK=[TM_MAD="ceph",DEV_PREFIX="sd",CACHE="none",DISCARD="unmap"]\nFEATURES=[IOTHREADS="1",VIRTIO_SCSI_QUEUES="auto"]\n${modern}`,
      ),
      wanted: "sda =; vm =",
    },
    {
      title: "the old prefix on the old board, with a CD-ROM beside it; the generic CPU",
      files: one(
        'NAME="old"\nVCPU="1"\nMEMORY="512"\nDISK=[DISK_TYPE="RBD",SOURCE="one/one-3",CEPH_USER="libvirt",CEPH_HOST="192.0.2.1 192.0.2.2",DEV_PREFIX="hd",CACHE="writeback"]\nDISK=[TYPE="CDROM",DATASTORE="ceph",IMAGE="iso",DEV_PREFIX="hd"]\n',
      ),
      wanted:
        "hda =bus-ide =cache-librbd-on =cache-writeback-depends =discard-off; hdb =; vm =machine-i440fx =cpu-generic",
    },
    {
      title: "an image in an unknown datastore",
      files: one(`NAME="a"\nVCPU="2"\nMEMORY="512"\nDISK=[IMAGE_ID="3",DEV_PREFIX="vd"]\n${modern}`),
      wanted: "vda =; vm =",
    },
  ],
  "disks that people quote without their domain": [
    {
      title: "two elements: Cinder's on IDE without a key, OpenNebula's on SCSI",
      files: {
        "disks.xml":
          "<disk type='network' device='disk'>\n  <driver name='qemu' type='raw' cache='writeback'/>\n  <source protocol='rbd' name='volumes/v'/>\n  <target dev='hda' bus='ide'/>\n</disk>\n<disk type='network' device='disk'>\n  <driver name='qemu' type='raw' cache='none' io='native' discard='unmap'/>\n  <auth username='one'><secret type='ceph' uuid='81058c7f-4dcd-4b57-bcbe-a9b460df3f09'/></auth>\n  <source protocol='rbd' name='one/one-76-382-0' index='2'><host name='192.0.2.1'/><host name='192.0.2.2'/></source>\n  <target dev='sda' bus='scsi'/>\n</disk>\n",
      },
      wanted:
        "hda =bus-ide =cache-librbd-on =cache-writeback-depends =auth-none =discard-off; sda =aio-without-effect; vm =",
    },
    {
      title: "a disk on virtio, after a declaration and a comment",
      files: {
        "disk.xml":
          "<?xml version='1.0'?>\n<!-- of web1 -->\n<disk type='network' device='disk'><driver name='qemu' type='raw' cache='none' discard='unmap' iothread='1'/><auth username='u'><secret type='ceph' uuid='81058c7f-4dcd-4b57-bcbe-a9b460df3f09'/></auth><source protocol='rbd' name='vms/a'/><target dev='vda' bus='virtio'/></disk>",
      },
      wanted: "vda =; vm =",
    },
  ],
  "QEMU's and rbd's own words": [
    {
      title: "the line of Ceph's own documents, with format=rbd",
      files: { "ps.txt": "qemu -m 1024 -drive format=rbd,file=rbd:data/squeeze,cache=writeback" },
      wanted:
        "ide0-hd0 =bus-ide =cache-librbd-on =cache-writeback-depends =discard-off =client-admin; vm =accel-tcg =machine-i440fx",
    },
    {
      title: "NVMe and USB buses have no findings",
      files: {
        "ps.txt":
          "/usr/bin/kvm -M q35 -cpu host -m 4G -drive file=rbd:p/i:id=u,if=none,id=n,cache=none,discard=unmap -device nvme,drive=n,serial=x -drive file=rbd:p/j:id=u,if=none,id=m,cache=none,discard=unmap -device nec-usb-xhci -device usb-storage,drive=m",
      },
      wanted: "n =; m =; vm =",
    },
    {
      title: "columns of ps before Proxmox's line; io_uring on librbd",
      files: {
        "ps.txt":
          "root      4711  3.2  1.0 6193024 1293024 ?     Sl   Mar01 1234:56 /usr/bin/kvm -id 104 -name db,debug-threads=on -chardev socket,id=qmp,path=/var/run/qemu-server/104.qmp,server=on,wait=off -mon chardev=qmp,mode=control -smp 8,sockets=1,cores=8,maxcpus=8 -nodefaults -cpu x86-64-v2-AES -m 8192 -object iothread,id=iothread-virtioscsi0 -drive file=rbd:ceph/vm-104-disk-0:conf=/etc/pve/ceph.conf:id=vms,if=none,id=drive-scsi0,format=raw,cache=none,aio=io_uring,discard=on -device virtio-scsi-pci,id=virtioscsi0,bus=pci.3,addr=0x1,iothread=iothread-virtioscsi0 -device scsi-hd,bus=virtioscsi0.0,scsi-id=0,drive=drive-scsi0,id=scsi0 -machine type=q35+pve0",
      },
      wanted: "drive-scsi0 =aio-without-effect; vm =",
    },
    {
      title: "rbd info with an object map that is marked invalid",
      files: {
        "rbd-info.txt":
          "rbd image 'vm1':\n\tsize 10 GiB in 2560 objects\n\torder 22 (4 MiB objects)\n\tsnapshot_count: 0\n\tid: 5e3f\n\tblock_name_prefix: rbd_data.5e3f\n\tformat: 2\n\tfeatures: layering, exclusive-lock, object-map, fast-diff, deep-flatten\n\top_features: \n\tflags: object map invalid, fast diff invalid\n",
      },
      wanted: "vm1 =object-map-invalid; vm =",
    },
    {
      title: "rbdmap: one line without options, one as it should be",
      files: {
        rbdmap:
          "# RbdDevice Parameters\nvms/a id=k,keyring=/etc/ceph/ceph.client.k.keyring\nvms/b id=k,options='lock_on_read,queue_depth=1024,rxbounce'\n",
      },
      wanted: "a =krbd =krbd-queue-depth =rxbounce-missing; b =krbd; vm =",
    },
  ],
  "Proxmox from its wizard and after years": [
    {
      title: "the wizard's VM in version 8",
      files: proxmox(
        "agent: 1\nboot: order=scsi0;ide2;net0\ncores: 4\ncpu: x86-64-v2-AES\nide2: local:iso/debian.iso,media=cdrom\nmemory: 8192\nmeta: creation-qemu=9.0.2,ctime=1723456789\nname: w\nnuma: 0\nostype: l26\nscsi0: ceph-vm:vm-100-disk-0,iothread=1,size=32G\nscsihw: virtio-scsi-single\nsockets: 1\n",
      ),
      wanted: "ide2 =; scsi0 =discard-off; vm =machine-i440fx",
    },
    {
      title: "Windows 11 on SATA with EFI and a TPM",
      files: proxmox(
        "bios: ovmf\nboot: order=sata0\ncores: 6\ncpu: host\nefidisk0: ceph-vm:vm-101-disk-0,efitype=4m,pre-enrolled-keys=1,size=528K\nmachine: pc-q35-9.0\nmemory: 16384\nostype: win11\nsata0: ceph-vm:vm-101-disk-1,discard=on,size=100G,ssd=1\nscsihw: virtio-scsi-single\ntpmstate0: ceph-vm:vm-101-disk-2,size=4M,version=v2.0\n",
      ),
      wanted: "efidisk0 =; sata0 =bus-sata; tpmstate0 =; vm =",
    },
    {
      title: "a clone of a cloud image, as qm clone leaves it",
      files: proxmox(
        "boot: c\nbootdisk: scsi0\ncores: 2\nmemory: 2048\nscsi0: ceph-vm:base-9000-disk-0/vm-104-disk-0,size=32G\nscsihw: virtio-scsi-pci\nserial0: socket\nvga: serial0\nide2: ceph-vm:vm-104-cloudinit,media=cdrom\n",
      ),
      wanted:
        "scsi0 =iothread-missing =clone-unflattened =discard-off; ide2 =; vm =cpu-generic =machine-i440fx",
    },
    {
      title: "two sockets that the guest sees, huge pages, one of two disks without a thread",
      files: proxmox(
        "cores: 4\nsockets: 2\nnuma: 1\nmemory: 65536\nhugepages: 1024\ncpu: host\nmachine: q35\nscsihw: virtio-scsi-single\nscsi0: ceph-vm:vm-1-disk-0,iothread=1,discard=on\nscsi1: ceph-vm:vm-1-disk-1,discard=on\n",
      ),
      wanted: "scsi0 =; scsi1 =iothread-missing; vm =",
    },
  ],
  "Kubernetes and Incus": [
    {
      title: "a list of a VM, its claim and a class with a deep queue",
      files: {
        "list.yaml":
          'apiVersion: v1\nkind: List\nitems:\n- apiVersion: kubevirt.io/v1\n  kind: VirtualMachine\n  metadata: {name: a}\n  spec: {template: {spec: {domain: {devices: {disks: [{name: d, disk: {}}]}, resources: {limits: {cpu: "2"}, requests: {cpu: "2"}}}, volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}}}\n- apiVersion: v1\n  kind: PersistentVolumeClaim\n  metadata: {name: c}\n  spec: {storageClassName: csi-rbd-sc}\n- apiVersion: storage.k8s.io/v1\n  kind: StorageClass\n  metadata: {name: csi-rbd-sc}\n  provisioner: rbd.csi.ceph.com\n  parameters: {pool: kube, imageFeatures: layering, mapOptions: "krbd:queue_depth=256"}\n',
      },
      wanted: "d =bus-sata =krbd =rxbounce-missing; vm =cpu-limit",
    },
    {
      title: "Rook for a laboratory: one monitor, one copy, encryption between all",
      files: {
        "cluster.yaml":
          'apiVersion: ceph.rook.io/v1\nkind: CephCluster\nmetadata: {name: rook-ceph, namespace: rook-ceph}\nspec:\n  cephVersion: {image: "quay.io/ceph/ceph:v18.2.4"}\n  mon: {count: 1, allowMultiplePerNode: true}\n  network: {connections: {encryption: {enabled: true}}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: rook-config-override, namespace: rook-ceph}\ndata:\n  config: |\n    [global]\n    osd_pool_default_size = 1\n',
      },
      wanted: "vm =replica-one =mon-single =secure-cost",
    },
    {
      title: "a pool with its number of PGs among the parameters",
      files: {
        "pool.yaml":
          'apiVersion: ceph.rook.io/v1\nkind: CephBlockPool\nmetadata: {name: replicapool, namespace: rook-ceph}\nspec: {failureDomain: host, replicated: {size: 3}, parameters: {compression_mode: none, pg_num: "64"}}\n',
      },
      wanted: "vm =",
    },
    {
      title: "an instance as incus list has it: the root comes from a profile",
      files: {
        "instance.yaml":
          "architecture: x86_64\nconfig: {}\nexpanded_config: {limits.cpu: '4'}\nexpanded_devices:\n  root: {path: /, pool: remote, type: disk, io.cache: none}\nname: v\ntype: virtual-machine\nprofiles: [default]\ndevices: {}\n",
        "storage.yaml":
          "config: {ceph.cluster_name: ceph, ceph.user.name: admin, source: remote}\ndescription: ''\nname: remote\ndriver: ceph\nused_by: []\n",
      },
      wanted: "root =client-admin; vm =",
    },
    {
      title: "Incus: the root as the platform has it, a volume on emulated NVMe without a cache",
      files: {
        "instance.yaml":
          'architecture: x86_64\nconfig:\n  limits.cpu: "4"\ndevices:\n  root: {path: /, pool: remote, type: disk}\n  data: {pool: remote, source: vol1, type: disk, io.bus: nvme, io.cache: none}\nname: v1\ntype: virtual-machine\n',
        "storage.yaml":
          "name: remote\ndriver: ceph\nconfig: {ceph.user.name: incus, ceph.osd.pool_name: remote}\n",
      },
      wanted: "root =cache-librbd-on =cache-writeback-depends; data =; vm =",
    },
  ],
};

for (const [name, all] of Object.entries(shapes))
  describe(name, () => {
    for (const { title, files, wanted } of all) it(title, () => void expectFindings(files, wanted));
  });
