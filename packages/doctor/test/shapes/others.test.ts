import { describe, it } from "node:test";
import { expectFindings } from "../support/expect-findings.ts";

interface Shape {
  title: string;
  files: Record<string, string>;
  wanted: string;
}

const className = "ocs-storagecluster-ceph-rbd-virtualization";
const storageClass = `---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ${className}}
provisioner: openshift-storage.rbd.csi.ceph.com
parameters: {pool: p, imageFeatures: "layering,deep-flatten,exclusive-lock,object-map,fast-diff", mapOptions: "krbd:rxbounce"}
`;

/** A VirtualMachine with claims on RBD for every volume but those named seed. */
function vm(domain: string, volumes = ["root", "data"]): string {
  const list = volumes.map((name) =>
    name === "seed"
      ? "      - {name: seed, cloudInitNoCloud: {userData: x}}"
      : `      - {name: ${name}, dataVolume: {name: ${name}}}`,
  );
  const templates = volumes
    .filter((name) => name !== "seed")
    .map((name) => `  - {metadata: {name: ${name}}, spec: {storage: {storageClassName: ${className}}}}`);
  return `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: vm1}
spec:
  dataVolumeTemplates:
${templates.join("\n")}
  template:
    spec:
      domain:
${domain.replace(/^/gm, "        ")}
      volumes:
${list.join("\n")}
`;
}

const kubevirt: Shape[] = [
  {
    title: "OpenShift's template: auto, two disks on virtio; only the seed shares a thread",
    files: {
      "vm.yaml":
        vm(
          `cpu: {cores: 2}
ioThreadsPolicy: auto
memory: {guest: 4Gi}
resources: {requests: {memory: 4Gi}}
devices:
  disks:
  - {name: root, bootOrder: 1, disk: {bus: virtio}}
  - {name: data, disk: {bus: virtio}}
  - {name: seed, disk: {bus: virtio}}`,
          ["root", "data", "seed"],
        ) + storageClass,
    },
    wanted: "root =krbd; data =krbd; seed =; vm =",
  },
  {
    title: "one disk with a thread of its own, the other on the policy's shared one",
    files: {
      "vm.yaml":
        vm(`cpu: {cores: 4}
ioThreadsPolicy: shared
devices:
  disks:
  - {name: root, disk: {bus: virtio}}
  - {name: data, dedicatedIOThread: true, disk: {bus: virtio}}`) + storageClass,
    },
    wanted: "root =krbd; data =krbd; vm =",
  },
  {
    title: "a policy and disks on SCSI",
    files: {
      "vm.yaml":
        vm(`cpu: {cores: 4}
ioThreadsPolicy: auto
devices:
  disks:
  - {name: root, disk: {bus: scsi}}
  - {name: data, disk: {bus: virtio}}`) + storageClass,
    },
    wanted: "root =krbd =iothread-without-effect; data =krbd; vm =",
  },
  {
    title: "dedicated CPUs with an isolated emulator thread, multi-queue and a pool of threads",
    files: {
      "vm.yaml":
        vm(`cpu: {cores: 8, dedicatedCpuPlacement: true, isolateEmulatorThread: true}
ioThreadsPolicy: supplementalPool
ioThreads: {supplementalPoolThreadCount: 4}
memory: {guest: 64Gi, hugepages: {pageSize: 1Gi}}
resources: {limits: {cpu: 8, memory: 64Gi}, requests: {cpu: 8, memory: 64Gi}}
devices:
  blockMultiQueue: true
  disks:
  - {name: root, disk: {bus: virtio}}
  - {name: data, disk: {bus: virtio}}`) + storageClass,
    },
    wanted: "root =krbd; data =krbd; vm =",
  },
  {
    title: "multi-queue, and one thread for each disk",
    files: {
      "vm.yaml":
        vm(
          `cpu: {cores: 8}
ioThreadsPolicy: auto
devices:
  blockMultiQueue: true
  disks:
  - {name: root, disk: {bus: virtio}}`,
          ["root"],
        ) + storageClass,
    },
    wanted: "root =krbd =queues-unmapped-iothreads; vm =",
  },
  {
    title: "multi-queue without any thread",
    files: {
      "vm.yaml":
        vm(
          `cpu: {cores: 8}
devices:
  blockMultiQueue: true
  disks:
  - {name: root, disk: {bus: virtio}}`,
          ["root"],
        ) + storageClass,
    },
    wanted: "root =krbd =iothread-missing; vm =",
  },
  {
    title: "an instance as the cluster shows it, on arm64, with a hot-plugged volume on SCSI",
    files: {
      "vmi.yaml": `apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: vm1}
spec:
  architecture: arm64
  domain:
    cpu: {cores: 1, model: host-passthrough}
    devices:
      disks:
      - {name: root, disk: {}, dedicatedIOThread: true}
      - {name: hot, disk: {bus: scsi}}
    machine: {type: virt}
  volumes:
  - {name: root, persistentVolumeClaim: {claimName: root}}
  - {name: hot, persistentVolumeClaim: {claimName: hot, hotpluggable: true}}
status:
  phase: Running
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: root}
spec: {storageClassName: rook-ceph-block}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: hot}
spec: {storageClassName: local-path}
`,
    },
    wanted: "root =krbd; hot =; vm =",
  },
  {
    title: "limits.cpu as many as the vCPUs, without dedicated CPUs",
    files: {
      "vm.yaml":
        vm(
          `cpu: {sockets: 2, cores: 2, threads: 1}
ioThreadsPolicy: auto
resources: {limits: {cpu: "4"}}
devices:
  disks:
  - {name: root, cache: none, io: native, disk: {bus: virtio}}`,
          ["root"],
        ) + storageClass,
    },
    wanted: "root =krbd; vm =cpu-limit",
  },
  {
    title: "an instancetype and a preference that are not among the inputs",
    files: {
      "vm.yaml": vm(`devices: {disks: [{name: root}]}`, ["root"])
        .replace("spec:\n", "spec:\n  instancetype: {name: u1.medium}\n  preference: {name: fedora}\n")
        .concat(storageClass),
    },
    wanted: "root =krbd; vm =",
  },
  {
    title: "writeback, chosen",
    files: {
      "vm.yaml":
        vm(
          `cpu: {cores: 2}
ioThreadsPolicy: shared
devices:
  disks:
  - {name: root, cache: writeback, disk: {bus: virtio}}`,
          ["root"],
        ) + storageClass,
    },
    wanted: "root =krbd =cache-writeback-depends; vm =",
  },
];

const classOf = (parameters: string) => ({
  "storageclass.yaml": `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: c}
provisioner: rook-ceph.rbd.csi.ceph.com
parameters: {clusterID: rook-ceph, pool: p, ${parameters}}
`,
});
const features = 'imageFeatures: "layering,exclusive-lock,object-map,fast-diff"';

const rook: Shape[] = [
  {
    title: "a class for VMs: rxbounce and a deep queue",
    files: classOf(`${features}, mapOptions: "krbd:rxbounce,queue_depth=256"`),
    wanted: "storageclass/c =krbd; vm =",
  },
  {
    title: "a class with rbd-nbd and map options for both",
    files: classOf(
      `${features}, mounter: rbd-nbd, mapOptions: "krbd:rxbounce;nbd:try-netlink,io-timeout=330"`,
    ),
    wanted: "storageclass/c =rbd-nbd; vm =",
  },
  {
    title: "a class with large objects and journaling",
    files: classOf(
      'imageFeatures: "layering,exclusive-lock,object-map,fast-diff,journaling", objectSize: "8388608", mapOptions: "krbd:rxbounce"',
    ),
    wanted: "storageclass/c =krbd =journaling =object-size-odd; vm =",
  },
  {
    title: "an encrypted class in secure mode",
    files: classOf(`${features}, encrypted: "true", mapOptions: "krbd:ms_mode=secure,rxbounce"`),
    wanted: "storageclass/c =krbd =secure-cost; vm =",
  },
  {
    title: "a CephFS class is ignored",
    files: {
      "sc.yaml": `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: c}
provisioner: rook-ceph.cephfs.csi.ceph.com
`,
    },
    wanted: "vm =",
  },
  {
    title: "pools: one with pg_num_min, one erasure-coded with a ratio, the manager's own",
    files: {
      "pool.yaml": `apiVersion: ceph.rook.io/v1
kind: CephBlockPool
metadata: {name: a}
spec: {replicated: {size: 3}, parameters: {pg_num_min: "128"}}
---
apiVersion: ceph.rook.io/v1
kind: CephBlockPool
metadata: {name: ec}
spec: {erasureCoded: {dataChunks: 4, codingChunks: 2}, parameters: {target_size_ratio: "0.8"}}
---
apiVersion: ceph.rook.io/v1
kind: CephBlockPool
metadata: {name: builtin-mgr}
spec: {name: .mgr, replicated: {size: 3}}
`,
    },
    wanted: "vm =",
  },
  {
    title: "pools: no size, one copy",
    files: {
      "pool.yaml": `apiVersion: ceph.rook.io/v1
kind: CephBlockPool
metadata: {name: a}
spec: {replicated: {size: 1, requireSafeReplicaSize: false}}
`,
    },
    wanted: "vm =pool-one-pg =replica-one",
  },
];

const nova = (text: string, release?: string) => ({
  "nova.conf": text,
  ...(release !== undefined && { "release.txt": release }),
});
const rbd = "images_type = rbd\nimages_rbd_pool = vms\nrbd_user = nova\nrbd_secret_uuid = x\n";

const openstack: Shape[] = [
  {
    title: "a well-made [libvirt]",
    files: nova(
      `[libvirt]\nvirt_type = kvm\ncpu_mode = host-model\n${rbd}hw_disk_discard = unmap\ndisk_cachemodes = "network=none"\nlive_migration_with_native_tls = true\nhw_machine_type = x86_64=q35\n`,
    ),
    wanted: "network =; vm =",
  },
  {
    title: "writeback for the network, quoted, among others",
    files: nova(
      `[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n[libvirt]\n${rbd}disk_cachemodes="file=directsync,network=writeback"\nhw_disk_discard=unmap\n`,
    ),
    wanted: "network =cache-librbd-on =cache-writeback-depends; vm =",
  },
  {
    title: "modes of other sources only",
    files: nova(`[libvirt]\n${rbd}disk_cachemodes = file=writeback,block=none\nhw_disk_discard = unmap\n`),
    wanted: "network =; vm =",
  },
  {
    title: "hw_disk_discard in [DEFAULT]",
    files: nova(`[DEFAULT]\nhw_disk_discard = unmap\n[libvirt]\n${rbd}`),
    wanted: "network =discard-off =option-misplaced; vm =",
  },
  {
    title: "volumes only: no images_type, a user for Cinder's",
    files: nova(
      "[libvirt]\nvirt_type = kvm\nrbd_user = cinder\nrbd_secret_uuid = x\nhw_disk_discard = unmap\n",
    ),
    wanted: "network =; vm =",
  },
  {
    title: "Nova as client.admin, emulated, with the generic CPU",
    files: nova(
      "[libvirt]\nvirt_type = qemu\ncpu_mode = none\nimages_type = rbd\nrbd_user = admin\nhw_disk_discard = unmap\n",
    ),
    wanted: "network =client-admin; vm =accel-tcg",
  },
  {
    title: "old flags in a release that reads them, and in one that does not",
    files: nova(
      `[libvirt]\n${rbd}hw_disk_discard = unmap\nlive_migration_flag = "VIR_MIGRATE_UNDEFINE_SOURCE,VIR_MIGRATE_PEER2PEER,VIR_MIGRATE_LIVE,VIR_MIGRATE_PERSIST_DEST,VIR_MIGRATE_TUNNELLED"\n`,
      "OpenStack Liberty",
    ),
    wanted: "network =; vm =tunnelled-migration",
  },
  {
    title: "no Ceph at all",
    files: nova(
      "[DEFAULT]\ndebug = false\n[libvirt]\nvirt_type = kvm\nimages_type = qcow2\ncpu_mode = host-passthrough\n",
    ),
    wanted: "vm =",
  },
  {
    title: "Kolla's overlay",
    files: nova(
      `[libvirt]\ndisk_cachemodes = network=none\nhw_disk_discard = unmap\ncpu_mode = host-model\n`,
      "kolla-ansible 2024.1",
    ),
    wanted: "network =; vm =",
  },
];

const conf = (text: string) => ({ "ceph.conf": text });
const ceph: Shape[] = [
  {
    title: "the usual ceph.conf of a client",
    files: conf(
      "[global]\nfsid = 5f0e6a52-0c1b-4a77-9a39-000000000001\nmon_host = [v2:192.0.2.11:3300/0,v1:192.0.2.11:6789/0] [v2:192.0.2.12:3300/0,v1:192.0.2.12:6789/0]\n[client]\nrbd cache = true\nrbd cache writethrough until flush = true\nadmin socket = /var/run/ceph/guests/$cluster-$type.$id.$pid.$cctid.asok\n",
    ),
    wanted: "vm =",
  },
  {
    title: "tuning of 2014",
    files: conf(
      "[global]\nfsid = x\nmon host = 192.0.2.11,192.0.2.12,192.0.2.13\nauth client required = none\nauth cluster required = none\nauth service required = none\nms_async_max_op_threads = 10\nosd pool default size = 1\n",
    ),
    wanted: "vm =auth-none =option-obsolete =replica-one",
  },
  {
    title: "encryption between daemons only, and of clients",
    files: conf("[global]\nfsid = x\nmon_host = 192.0.2.11,192.0.2.12\nms_cluster_mode = secure\n"),
    wanted: "vm =",
  },
  {
    title: "encryption of clients",
    files: conf(
      "[global]\nfsid = x\nmon_host = 192.0.2.11,192.0.2.12\nms_client_mode = secure\nms_service_mode = secure\n",
    ),
    wanted: "vm =secure-cost",
  },
  {
    title: "a persistent write log; its plugin without a mode",
    files: conf(
      "[global]\nmon_host = a,b\n[client]\nrbd_plugins = pwl_cache\nrbd_persistent_cache_mode = ssd\nrbd_persistent_cache_path = /mnt/pwl\n",
    ),
    wanted: "vm =pwl-cache",
  },
  {
    title: "the plugin without a mode",
    files: conf(
      "[global]\nmon_host = a,b\n[client]\nrbd_plugins = pwl_cache\nrbd_persistent_cache_mode = disabled\n",
    ),
    wanted: "vm =",
  },
];

const incus: Shape[] = [
  {
    title:
      "a root disk, a block volume, a file system that is shared, on a user of their own; cache and limits written",
    files: {
      "instance.yaml": `architecture: x86_64
config: {limits.cpu: "8", limits.memory: 64GiB, limits.memory.hugepages: "true"}
devices:
  root: {path: /, pool: remote, type: disk, io.cache: none}
  data: {pool: remote, source: vol1, type: disk, io.bus: virtio-blk, io.cache: none, limits.max: 500iops}
  agent: {source: "agent:config", type: disk}
  eth0: {type: nic, network: br0}
name: vm1
type: virtual-machine
`,
      "storage.yaml":
        "name: remote\ndriver: ceph\nconfig: {ceph.user.name: incus, ceph.osd.pool_name: incus}\ndescription: ''\nused_by: []\n",
    },
    wanted: "root =; data =throttled; agent =; vm =",
  },
  {
    title: "a container",
    files: {
      "instance.yaml": `architecture: x86_64
config: {limits.cpu: "2"}
devices:
  root: {path: /, pool: remote, type: disk}
name: c1
type: container
`,
      "storage.yaml":
        "name: remote\ndriver: ceph\nconfig: {ceph.user.name: incus}\ndescription: ''\nused_by: []\n",
    },
    wanted: "root =krbd; vm =",
  },
];

for (const [name, shapes] of Object.entries({
  KubeVirt: kubevirt,
  Rook: rook,
  OpenStack: openstack,
  "ceph.conf": ceph,
  Incus: incus,
}))
  describe(`common ${name}`, () => {
    for (const { title, files, wanted } of shapes) it(title, () => void expectFindings(files, wanted));
  });
