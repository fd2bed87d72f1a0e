import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { examine } from "../../src/examine.ts";
import { expectFindings } from "../support/expect-findings.ts";

interface Shape {
  title: string;
  files: Record<string, string>;
  wanted: string;
}

const rbdClass = (name: string, parameters: string) =>
  `---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: ${name}}\nprovisioner: rook-ceph.rbd.csi.ceph.com\nparameters: {pool: p, imageFeatures: "layering,exclusive-lock,object-map,fast-diff", ${parameters}}\n`;
const otherClass =
  "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: local}\nprovisioner: topolvm.io\n";

/** A VirtualMachine whose volumes are claims of these classes, by the disks' names. */
function vm(domain: string, classes: Record<string, string>, more = ""): string {
  const names = Object.keys(classes);
  return `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: vm1}
spec:
  template:
    spec:
      domain:
${domain.replace(/^/gm, "        ")}
      volumes:
${names.map((name) => `      - {name: ${name}, persistentVolumeClaim: {claimName: ${name}}}`).join("\n")}
${more}
${names.map((name) => `---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ${name}}\nspec: {storageClassName: ${classes[name]}, volumeMode: Block}`).join("\n")}
`;
}

const kubevirt: Shape[] = [
  {
    title: "a VM on a class that is not RBD: its disks have no findings",
    files: {
      "vm.yaml":
        vm("cpu: {cores: 4}\ndevices: {disks: [{name: root, disk: {}}]}", { root: "local" }) + otherClass,
    },
    wanted: "disks root; root =; vm =",
  },
  {
    title: "mixed disks: only the one in RBD counts for the SATA bus",
    files: {
      "vm.yaml":
        vm(
          "cpu: {cores: 4}\nioThreadsPolicy: auto\ndevices: {disks: [{name: root, disk: {bus: virtio}}, {name: a, disk: {}}, {name: b, disk: {}}]}",
          { root: "ceph", a: "ceph", b: "local" },
        ) +
        otherClass +
        rbdClass("ceph", 'mapOptions: "krbd:rxbounce,queue_depth=512"'),
    },
    wanted: "root =krbd; a =krbd =bus-sata; b =; storageclass/ceph =krbd; vm =",
  },
  {
    title: "a class with rbd-nbd",
    files: {
      "vm.yaml":
        vm("cpu: {cores: 2}\nioThreadsPolicy: auto\ndevices: {disks: [{name: root, disk: {bus: virtio}}]}", {
          root: "nbd",
        }) + rbdClass("nbd", "mounter: rbd-nbd"),
    },
    wanted: "root =rbd-nbd; storageclass/nbd =rbd-nbd; vm =",
  },
  {
    title: "a memory dump, a config map and a container disk are not data disks",
    files: {
      "vm.yaml":
        vm(
          "cpu: {cores: 2}\nioThreadsPolicy: auto\ndevices: {disks: [{name: root, disk: {bus: virtio}}, {name: drivers, cdrom: {bus: sata}}]}",
          { root: "ceph" },
          "      - {name: dump, memoryDump: {claimName: dump}}\n      - {name: settings, configMap: {name: x}}\n      - {name: drivers, containerDisk: {image: quay.io/kubevirt/virtio-container-disk}}",
        ) + rbdClass("ceph", 'mapOptions: "krbd:rxbounce"'),
    },
    wanted: "disks root drivers storageclass/ceph; root =krbd; drivers =; vm =",
  },
  {
    title: "dedicated CPUs as many as the limit",
    files: {
      "vm.yaml":
        vm(
          "cpu: {cores: 4, dedicatedCpuPlacement: true, isolateEmulatorThread: true}\nioThreadsPolicy: auto\nresources: {limits: {cpu: 4, memory: 8Gi}, requests: {cpu: 4, memory: 8Gi}}\ndevices: {disks: [{name: root, disk: {bus: virtio}, dedicatedIOThread: true, io: native, cache: none}]}",
          { root: "ceph" },
        ) + rbdClass("ceph", 'mapOptions: "krbd:rxbounce"'),
    },
    wanted: "root =krbd; vm =",
  },
  {
    title: "Harvester keeps its claims in an annotation",
    files: {
      "vm.yaml": `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: vm1
  annotations:
    harvesterhci.io/volumeClaimTemplates: '[{"metadata":{"name":"vm1-disk-0"},"spec":{"storageClassName":"ceph","volumeMode":"Block"}},{"metadata":{"name":"vm1-disk-1"},"spec":{"storageClassName":"longhorn-ubuntu"}}]'
spec:
  runStrategy: RerunOnFailure
  template:
    spec:
      domain:
        cpu: {cores: 2}
        devices:
          disks:
          - {name: disk-0, disk: {bus: virtio}, bootOrder: 1}
          - {name: disk-1, disk: {bus: virtio}}
      volumes:
      - {name: disk-0, persistentVolumeClaim: {claimName: vm1-disk-0}}
      - {name: disk-1, persistentVolumeClaim: {claimName: vm1-disk-1}}
${rbdClass("ceph", 'mapOptions: "krbd:rxbounce"')}`,
    },
    wanted: "disk-0 =krbd =iothread-missing; disk-1 =; vm =",
  },
  {
    title: "kubectl get vmi -o json, with its status",
    files: {
      "vmi.json": JSON.stringify({
        apiVersion: "kubevirt.io/v1",
        kind: "VirtualMachineInstance",
        metadata: { name: "vm1", uid: "x" },
        spec: {
          architecture: "amd64",
          domain: {
            cpu: { cores: 4, maxSockets: 4, model: "host-model", sockets: 1, threads: 1 },
            devices: { disks: [{ name: "root", disk: { bus: "virtio" } }] },
            machine: { type: "pc-q35-rhel9.6.0" },
            ioThreadsPolicy: "auto",
          },
          volumes: [{ name: "root", dataVolume: { name: "ocs" } }],
        },
        status: { phase: "Running", volumeStatus: [{ name: "root", target: "vda" }] },
      }),
      "pvc.yaml":
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ocs}\nspec: {storageClassName: ocs-storagecluster-ceph-rbd-virtualization}\n",
    },
    wanted: "disks root; root =krbd; vm =",
  },
];

const rook: Shape[] = [
  {
    title: "a class with its data in an erasure-coded pool: the other pool holds only headers",
    files: {
      "class.yaml":
        `${rbdClass("ec", 'dataPool: ec-data, mapOptions: "krbd:rxbounce,queue_depth=256"').replace("pool: p", "pool: headers")}` +
        "---\napiVersion: ceph.rook.io/v1\nkind: CephBlockPool\nmetadata: {name: headers}\nspec: {replicated: {size: 3}}\n" +
        '---\napiVersion: ceph.rook.io/v1\nkind: CephBlockPool\nmetadata: {name: ec-data}\nspec: {erasureCoded: {dataChunks: 4, codingChunks: 2}, parameters: {bulk: "true"}}\n',
    },
    wanted: "storageclass/ec =krbd; vm =",
  },
];

const onevm = (disks: string) => `<?xml version="1.0"?>
<VM><ID>7</ID><UID>0</UID><NAME>web</NAME><TEMPLATE><CPU><![CDATA[2]]></CPU><VCPU><![CDATA[4]]></VCPU><MEMORY><![CDATA[8192]]></MEMORY>
<CPU_MODEL><MODEL><![CDATA[host-passthrough]]></MODEL></CPU_MODEL><OS><MACHINE><![CDATA[q35]]></MACHINE></OS>${disks}</TEMPLATE><USER_TEMPLATE/></VM>`;
const oneDisk = (target: string, more: string, type = "RBD") =>
  `<DISK><DATASTORE><![CDATA[default]]></DATASTORE><DISK_TYPE><![CDATA[${type}]]></DISK_TYPE><TM_MAD><![CDATA[ceph]]></TM_MAD><SOURCE><![CDATA[one/one-1]]></SOURCE><CEPH_HOST><![CDATA[192.0.2.1 192.0.2.2]]></CEPH_HOST><CEPH_USER><![CDATA[oneadmin]]></CEPH_USER><TARGET><![CDATA[${target}]]></TARGET>${more}</DISK>`;

const clouds: Shape[] = [
  {
    title: "onevm show -x: a disk by default, one that is right, a CD-ROM",
    files: {
      "vm.xml": onevm(
        oneDisk("vda", "") +
          oneDisk("vdb", "<CACHE><![CDATA[none]]></CACHE><DISCARD><![CDATA[unmap]]></DISCARD>") +
          oneDisk("sda", "<READONLY><![CDATA[YES]]></READONLY>", "RBD_CDROM") +
          "<FEATURES><IOTHREADS>2</IOTHREADS></FEATURES>",
      ),
    },
    wanted: "disks vda vdb sda; vda =cache-librbd-on =discard-off; vdb =; sda =; vm =",
  },
  {
    title: "onevm show -j",
    files: {
      "vm.json": JSON.stringify({
        VM: {
          NAME: "web",
          TEMPLATE: {
            VCPU: "2",
            MEMORY: "4096",
            CPU_MODEL: { MODEL: "host-passthrough" },
            OS: { MACHINE: "q35" },
            FEATURES: { IOTHREADS: "1" },
            DISK: { TARGET: "vda", DISK_TYPE: "RBD", SOURCE: "one/one-1", CACHE: "none", DISCARD: "unmap" },
          },
        },
      }),
    },
    wanted: "disks vda; vda =; vm =",
  },
  {
    title: "Incus without its pool: the name decides, and a container's or other pool's disks are silent",
    files: {
      "instance.yaml":
        'architecture: x86_64\nconfig: {limits.cpu: 0-3}\ndevices:\n  root: {path: /, pool: ceph-nvme, type: disk, io.cache: none}\n  data: {pool: cephfs, path: /srv, source: share, type: disk}\n  other: {pool: local, source: v, type: disk, readonly: "true"}\n  cd: {source: /srv/win.iso, type: disk}\nname: vm1\ntype: virtual-machine\n',
    },
    wanted: "root =; data =; other =; cd =; vm =",
  },
  {
    title: "an NVMe-oF gateway with a pool of connections for its images",
    files: {
      "ceph-nvmeof.conf":
        "[gateway]\nname =\naddr = 0.0.0.0\n[ceph]\npool = rbd\nid = nvmeof\n[spdk]\ncluster_connections = 32\n",
    },
    wanted: "vm =",
  },
  {
    title: "an NVMe-oF gateway with a number of images for each connection, whichever group they are in",
    files: {
      "ceph-nvmeof.conf":
        "[gateway]\nname =\naddr = 0.0.0.0\n[ceph]\npool = rbd\nid = nvmeof\n[spdk]\nflat_bdevs_per_cluster = 16\n",
    },
    wanted: "vm =single-librados-client",
  },
  {
    title: "values of OpenStack-Helm",
    files: {
      "values.yaml":
        "conf:\n  nova:\n    libvirt:\n      images_type: rbd\n      images_rbd_pool: vms\n      disk_cachemodes: network=writeback\n      hw_disk_discard: unmap\n      virt_type: kvm\n      rbd_user: cinder\n",
    },
    wanted: "network =cache-librbd-on =cache-writeback-depends; vm =",
  },
  {
    title: "nova.conf with every valid spelling",
    files: {
      "nova.conf":
        '[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n[libvirt]\nvirt_type=kvm\ncpu_mode=custom\ncpu_models=Cascadelake-Server-noTSX,Broadwell\nimages_type=rbd\nimages_rbd_pool=vms\nimages_rbd_ceph_conf=/etc/ceph/ceph.conf\nrbd_user=nova\nrbd_secret_uuid=5f0e6a52-0c1b-4a77-9a39-0000000000a1\ndisk_cachemodes="file=directsync,block=none,network=none"\nhw_disk_discard=unmap\nhw_machine_type=x86_64=q35,aarch64=virt\nlive_migration_permit_auto_converge=true\n[workarounds]\nskip_cpu_compare_on_dest=true\n[neutron]\n',
    },
    wanted: "network =; vm =",
  },
];

describe("unusual KubeVirt and Rook", () => {
  for (const { title, files, wanted } of [...kubevirt, ...rook])
    it(title, () => void expectFindings(files, wanted));
});

describe("unusual OpenNebula, Incus and Nova", () => {
  for (const { title, files, wanted } of clouds) it(title, () => void expectFindings(files, wanted));

  it("a VM's claims that are not among the inputs are listed as unseen", () => {
    const text = vm("cpu: {cores: 2}\ndevices: {disks: [{name: root, disk: {}}]}", { root: "ceph" });
    const [examination] = examine([{ name: "vm.yaml", text: text.slice(0, text.indexOf("---")) }]);
    assert.deepEqual(examination!.disks[0], { disk: "root", rbd: false, findings: [] });
    assert.match(
      examination!.unseen.join("\n"),
      /whether root is on RBD: the claims and their StorageClass say it/,
    );
  });

  it("lists of instances, as incus and lxc print them", () => {
    const instance = (name: string) =>
      `name: ${name}\n  type: virtual-machine\n  architecture: x86_64\n  config: {}\n  devices: {}\n  expanded_devices:\n    root: {path: /, pool: ceph, type: disk, io.cache: none}`;
    const yaml = `- ${instance("a")}\n- ${instance("b")}\n`;
    const json = JSON.stringify([
      {
        name: "c",
        type: "virtual-machine",
        expanded_devices: { root: { path: "/", pool: "ceph", type: "disk" } },
      },
    ]);
    const all = examine([
      { name: "a", text: yaml },
      { name: "b", text: json },
    ]);
    assert.deepEqual(
      all.map(({ name, disks }) => [
        name,
        disks.flatMap(({ findings }) => findings.map(({ id }) => id)).length > 0,
      ]),
      [
        ["a", false],
        ["b", false],
        ["c", true],
      ],
    );
  });

  it("an Incus pool that is not among the inputs is named", () => {
    const text = clouds.find(({ title }) => title.startsWith("Incus"))!.files["instance.yaml"]!;
    const [examination] = examine([{ name: "instance.yaml", text }]);
    assert.match(examination!.unseen.join("\n"), /pool ceph-nvme \(incus storage show ceph-nvme\)/);
  });
});
