import { describe, it } from "node:test";
import { expectFindings } from "../support/expect-findings.ts";

const classOf = (parameters: string, name = "rbd-vm") =>
  `apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: ${name}}\nprovisioner: rook-ceph.rbd.csi.ceph.com\nparameters: {pool: p, imageFeatures: "layering,exclusive-lock,object-map,fast-diff"${parameters}}\n`;
const good = classOf(', mapOptions: "krbd:rxbounce"');

interface Parts {
  disks?: string;
  domain?: string;
  devices?: string;
  spec?: string;
  volumes?: string;
  outer?: string;
}

function vm({ disks, domain, devices, spec, volumes, outer }: Parts): string {
  return `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: vm}
spec:
  ${outer ?? "runStrategy: Always"}
  template:
    spec:
      ${spec ?? "architecture: amd64"}
      domain:
        ${domain ?? "ioThreadsPolicy: auto"}
        cpu: {cores: 4}
        devices:
          ${devices ?? "rng: {}"}
          disks:
          ${disks ?? "- {name: data, disk: {bus: virtio}}"}
      volumes:
      ${volumes ?? "- {name: data, persistentVolumeClaim: {claimName: data}}"}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: rbd-vm, volumeMode: Block}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: more}
spec: {storageClassName: rbd-vm, volumeMode: Block}
`;
}

const two = {
  disks: "- {name: data, disk: {bus: virtio}}\n          - {name: more, disk: {bus: virtio}}",
  volumes:
    "- {name: data, persistentVolumeClaim: {claimName: data}}\n      - {name: more, persistentVolumeClaim: {claimName: more}}",
};
const resources = (text: string) => `ioThreadsPolicy: auto\n        resources: {${text}}`;

const cases: [title: string, parts: Parts, wanted: string, storage?: string][] = [
  ["a well-made VM", {}, "data =krbd; vm ="],
  ["no policy at all", { domain: "chassis: {}" }, "data =krbd =iothread-missing"],
  [
    "dedicatedIOThread works without a policy",
    { domain: "chassis: {}", disks: "- {name: data, dedicatedIOThread: true, disk: {bus: virtio}}" },
    "data =krbd; vm =",
  ],
  [
    "a shared policy shares",
    { ...two, domain: "ioThreadsPolicy: shared" },
    "vm =iothread-shared; more =krbd",
  ],
  ["auto gives two disks a thread each: its pool is two threads a CPU", two, "vm ="],
  [
    "auto with more disks than threads",
    {
      disks:
        "- {name: data, disk: {bus: virtio}}\n          - {name: a, disk: {bus: virtio}}\n          - {name: more, disk: {bus: virtio}}",
      volumes: `${two.volumes}\n      - {name: a, containerDisk: {image: x}}`,
    },
    "vm =iothread-shared",
  ],
  [
    "a policy does not reach SCSI disks; a dedicated thread of one of them reaches the controller",
    { disks: "- {name: data, disk: {bus: scsi}}" },
    "data =krbd =iothread-without-effect",
  ],
  [
    "dedicated on SCSI",
    { disks: "- {name: data, dedicatedIOThread: true, disk: {bus: scsi}}" },
    "data =krbd",
  ],
  [
    "arm64's default is virtio",
    { disks: "- {name: data, disk: {}}", spec: "architecture: arm64" },
    "data =krbd",
  ],
  ["amd64's is SATA", { disks: "- {name: data, disk: {}}" }, "data =krbd =bus-sata"],
  [
    "a preference that is not shown may choose the bus",
    { disks: "- {name: data, disk: {}}", outer: "preference: {name: fedora}" },
    "data -bus-sata",
  ],
  [
    "many queues on one thread; supplementalPool maps them",
    { devices: "blockMultiQueue: true" },
    "data =krbd =queues-unmapped-iothreads",
  ],
  [
    "the pool",
    {
      devices: "blockMultiQueue: true",
      domain: "ioThreadsPolicy: supplementalPool\n        ioThreads: {supplementalPoolThreadCount: 4}",
    },
    "data =krbd; vm =",
  ],
  [
    "many queues without a thread",
    { devices: "blockMultiQueue: true", domain: "chassis: {}" },
    "data =krbd =iothread-missing",
  ],
  ["a limit below the vCPUs", { domain: resources('limits: {cpu: "2"}') }, "vm =cpu-limit"],
  ["a limit as large as them", { domain: resources('limits: {cpu: "4"}') }, "vm =cpu-limit"],
  [
    "a limit above them, and requests",
    { domain: resources('requests: {cpu: "4"}, limits: {cpu: 5}') },
    "vm =",
  ],
  [
    "writeback is the page cache; io: threads without it is slow",
    { disks: "- {name: data, cache: writeback, disk: {bus: virtio}}" },
    "data =krbd =cache-writeback-depends",
  ],
  [
    "threads",
    { disks: "- {name: data, cache: none, io: threads, disk: {bus: virtio}}" },
    "data =krbd =aio-threads",
  ],
  [
    "native is KubeVirt's own",
    { disks: "- {name: data, cache: none, io: native, disk: {bus: virtio}}" },
    "data =krbd",
  ],
  [
    "cache and io inside disk: are dropped",
    { disks: "- {name: data, disk: {bus: virtio, cache: none, io: native}}" },
    "data =krbd =option-misplaced",
  ],
  ["ioThreadsPolicy below devices", { devices: "ioThreadsPolicy: auto" }, "data =krbd =option-misplaced"],
  ["rbd-nbd", {}, "data =rbd-nbd; storageclass/rbd-vm =rbd-nbd", classOf(", mounter: rbd-nbd")],
  [
    "another provisioner is not RBD",
    {},
    "data =",
    good.replace("rook-ceph.rbd.csi.ceph.com", "driver.longhorn.io"),
  ],
  ["CephFS is not RBD", {}, "data =", good.replace(".rbd.", ".cephfs.")],
  ["many sockets are a topology", { domain: "ioThreadsPolicy: auto" }, "vm -numa-split"],
  ["a volume without a disk gets one, on the default bus", { disks: "  []" }, "data =krbd =bus-sata"],
  ["a CD-ROM with a claim", { disks: "- {name: data, cdrom: {bus: sata}}" }, "data ="],
  [
    "kvm64 by name, pc by name",
    { domain: "ioThreadsPolicy: auto\n        machine: {type: pc-i440fx-2.11}" },
    "vm =machine-i440fx",
  ],
];

describe("a KubeVirt VM", () => {
  for (const [title, parts, wanted, storage] of cases)
    it(
      title,
      () => void expectFindings({ "vm.yaml": vm(parts), "storageclass.yaml": storage ?? good }, wanted),
    );

  it("takes vCPUs and policy from an instancetype among the inputs, and the bus from a preference", () => {
    const shown =
      "apiVersion: instancetype.kubevirt.io/v1beta1\nkind: VirtualMachineClusterInstancetype\nmetadata: {name: u1}\nspec: {cpu: {guest: 4}, memory: {guest: 8Gi}, ioThreadsPolicy: auto}\n---\napiVersion: instancetype.kubevirt.io/v1beta1\nkind: VirtualMachineClusterPreference\nmetadata: {name: win}\nspec: {devices: {preferredDiskBus: sata}}\n";
    const text = vm({
      outer: "instancetype: {name: u1}\n  preference: {name: win}",
      disks: "- {name: data, disk: {}}",
      domain: "chassis: {}",
    }).replace("        cpu: {cores: 4}\n", "");
    expectFindings({ "vm.yaml": `${text}---\n${shown}`, "sc.yaml": good }, "data =krbd =bus-sata");
  });

  it("is found in a List, as a VMI and as JSON", () => {
    const vmi = {
      apiVersion: "v1",
      kind: "List",
      items: [
        {
          apiVersion: "kubevirt.io/v1",
          kind: "VirtualMachineInstance",
          metadata: { name: "x" },
          spec: {
            domain: { devices: { disks: [{ name: "d", disk: { bus: "virtio" } }] } },
            volumes: [{ name: "d", persistentVolumeClaim: { claimName: "c" } }],
          },
        },
      ],
    };
    expectFindings({ "vmi.json": JSON.stringify(vmi), "sc.yaml": good }, "d =krbd =iothread-missing");
  });
});

describe("Rook and ceph-csi", () => {
  const rows: [title: string, text: string, wanted: string][] = [
    ["a good class", good, "storageclass/rbd-vm =krbd; vm ="],
    ["no mapOptions", classOf(""), "storageclass/rbd-vm =krbd =krbd-queue-depth =rxbounce-missing"],
    [
      "a shallow queue",
      classOf(', mapOptions: "krbd:queue_depth=64,rxbounce"'),
      "storageclass/rbd-vm =krbd =krbd-queue-depth",
    ],
    [
      "options without a mounter's name",
      classOf(', mapOptions: "queue_depth=512,rxbounce"'),
      "storageclass/rbd-vm =krbd",
    ],
    [
      "options for nbd only",
      classOf(', mapOptions: "nbd:io-timeout=10"'),
      "storageclass/rbd-vm +rxbounce-missing",
    ],
    [
      "journaling",
      classOf(', mapOptions: "rxbounce"').replace("fast-diff", "fast-diff,journaling"),
      "storageclass/rbd-vm =krbd =journaling",
    ],
    [
      "odd objects",
      classOf(', mapOptions: "rxbounce", objectSize: "8388608"'),
      "storageclass/rbd-vm =krbd =object-size-odd",
    ],
    [
      "no imageFeatures: Ceph's own default",
      good.replace(/, imageFeatures: "[^"]*"/, ""),
      "storageclass/rbd-vm =krbd",
    ],
    [
      "the secret's user",
      `${classOf(', mapOptions: "rxbounce", csi.storage.k8s.io/node-stage-secret-name: s')}---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {userID: admin, userKey: REDACTED}\n`,
      "storageclass/rbd-vm =krbd =client-admin",
    ],
    [
      "ceph-csi's list of clusters",
      `${classOf(', mapOptions: "rxbounce", clusterID: c1')}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ceph-csi-config}\ndata:\n  config.json: '[{"clusterID":"c1","monitors":["192.0.2.1:6789"]}]'\n`,
      "storageclass/rbd-vm =krbd =mon-single",
    ],
    ["one copy", pool("replicated: {size: 1, targetSizeRatio: 0.1}"), "vm =replica-one"],
    ["no hint", pool("replicated: {size: 3}"), "vm =pool-one-pg"],
    ["bulk", pool('replicated: {size: 3}, parameters: {bulk: "true"}'), "vm ="],
    ["pg_num_min", pool('replicated: {size: 3}, parameters: {pg_num_min: "32"}'), "vm ="],
    ["target_size_ratio", pool('replicated: {size: 3}, parameters: {target_size_ratio: ".3"}'), "vm ="],
    [
      "erasure coded without a hint",
      pool("erasureCoded: {dataChunks: 2, codingChunks: 1}"),
      "vm =pool-one-pg",
    ],
    ["the manager's pool has one PG on purpose", pool("name: .mgr, replicated: {size: 3}"), "vm ="],
    [
      "encryption of the wire",
      "apiVersion: ceph.rook.io/v1\nkind: CephCluster\nmetadata: {name: c}\nspec: {mon: {count: 3}, network: {connections: {encryption: {enabled: true}}}}\n",
      "vm =secure-cost",
    ],
    [
      "cephConfig",
      'apiVersion: ceph.rook.io/v1\nkind: CephCluster\nmetadata: {name: c}\nspec: {mon: {count: 3}, cephConfig: {global: {osd_pool_default_size: "1"}}}\n',
      "vm =replica-one",
    ],
    [
      "a healthy cluster",
      "apiVersion: ceph.rook.io/v1\nkind: CephCluster\nmetadata: {name: c}\nspec: {mon: {count: 3}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: rook-config-override}\ndata:\n  config: |\n    [global]\n    osd_pool_default_size = 3\n    rbd_cache = true\n",
      "vm =",
    ],
  ];
  for (const [title, text, wanted] of rows)
    it(title, () => void expectFindings({ "rook.yaml": text }, wanted));
});

function pool(spec: string): string {
  return `apiVersion: ceph.rook.io/v1\nkind: CephBlockPool\nmetadata: {name: p}\nspec: {${spec}}\n`;
}
