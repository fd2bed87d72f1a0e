import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { DoctorError } from "../../src/errors.ts";
import { decodeText } from "../../src/inputs/encoding.ts";
import { recognise } from "../../src/inputs/recognise.ts";

const strangers: [title: string, text: string, says: RegExp, instead: RegExp][] = [
  ["nothing", " \n", /is empty/, /--help/],
  ["a compressed file", decodeText(gzipSync("<domain/>".repeat(100))), /is compressed/, /gunzip/],
  [
    "an image",
    decodeText(Buffer.from(`QFI\xfb${"\0\x03\x81\x90".repeat(200)}`, "latin1")),
    /is not text/,
    /configuration/,
  ],
  [
    "Glance",
    "[DEFAULT]\nenabled_backends = ceph:rbd\n[glance_store]\ndefault_backend = ceph\n[ceph]\nrbd_store_pool = images\nrbd_store_user = glance\n",
    /Glance's/,
    /nova\.conf/,
  ],
  [
    "openstack server show",
    "+-----+-----+\n| Field | Value |\n+-----+-----+\n| OS-EXT-SRV-ATTR:instance_name | instance-00000001 |\n",
    /OpenStack's client/,
    /virsh dumpxml/,
  ],
  [
    "openstack server show as JSON",
    '{"OS-EXT-SRV-ATTR:instance_name": "instance-00000001", "volumes_attached": ""}',
    /OpenStack's client/,
    /nova\.conf/,
  ],
  [
    "query-block",
    '{"return":[{"device":"drive-virtio-disk0","inserted":{"ro":false,"file":"rbd:p/i"}}],"id":"libvirt-1"}',
    /QEMU's monitor/,
    /virsh dumpxml/,
  ],
  [
    "a volume of libvirt",
    "<volume type='network'><name>vm1</name><target><path>p/vm1</path></target></volume>",
    /not of a domain/,
    /dumpxml/,
  ],
  [
    "oVirt's engine",
    '<?xml version="1.0"?><vm href="/ovirt-engine/api/vms/1" id="1"><name>x</name></vm>',
    /oVirt's engine/,
    /virsh -r/,
  ],
  [
    "virsh domblklist",
    " Target   Source\n------------------\n vda      p/vm1\n",
    /table of virsh/,
    /dumpxml/,
  ],
  [
    "qm list",
    "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID\n       101 web                  running    8192              32.00 4711\n",
    /list of guests/,
    /qm config/,
  ],
  [
    "kubectl get vm",
    "NAME   AGE   STATUS    READY\nvm1    3d    Running   True\n",
    /kubectl's table/,
    /-o yaml/,
  ],
  [
    "kubectl describe vm",
    "Name:         vm1\nNamespace:    default\nAPI Version:  kubevirt.io/v1\nKind:         VirtualMachine\n",
    /kubectl describe/,
    /-o yaml/,
  ],
  ["onevm show", "VIRTUAL MACHINE 7 INFORMATION\nID                  : 7\n", /onevm show/, /onevm show -x/],
  [
    "ceph -s",
    "  cluster:\n    id:     5f0e6a52\n    health: HEALTH_OK\n",
    /the cluster's state/,
    /--ask-cluster/,
  ],
  ["ceph config dump", "WHO     MASK  LEVEL  OPTION  VALUE  RO\n", /monitors' list/, /ceph\.conf/],
  [
    "virt-install",
    "virt-install --virt-type kvm --name x --memory 4096 --vcpus 4 --disk vol=ceph/x,bus=virtio\n",
    /made by/,
    /dumpxml/,
  ],
  ["Terraform", 'resource "libvirt_domain" "x" {\n', /made by/, /dumpxml/],
  ["gnt-instance info", "- Instance name: web.example.org\n  UUID: x\n", /gnt-instance info/, /ps -o args/],
  ["VMware", 'config.version = "8"\nvirtualHW.version = "19"\n', /VMware/, /QEMU/],
  ["Xen", 'type = "hvm"\nname = "x"\ndisk = [ "rbd:p/i,xvda,w" ]\n', /Xen/, /KVM/],
];

it("a table beside a configuration does not hide it", () => {
  const domain = "<domain type='kvm'><name>a</name><devices/></domain>\n";
  for (const text of [
    ` Id   Name   State\n--------------\n 1    a      running\n\n${domain}`,
    `+--+\n| Field | Value |\n+--+\n${domain}`,
  ])
    assert.equal(recognise({ name: "x", text }).format, "libvirt");
  const cinder = "[DEFAULT]\nenabled_backends = ceph-rbd\n[ceph-rbd]\nrbd_pool = volumes\n";
  assert.notEqual(recognise({ name: "cinder.conf", text: cinder }).format, "proxmox");
});

describe("text that the doctor does not read is refused with a sentence that says what to give instead", () => {
  for (const [title, text, says, instead] of strangers)
    it(title, () => {
      assert.throws(
        () => recognise({ name: "x", text }),
        (error) =>
          error instanceof DoctorError &&
          error.code === "SIPHON_UNKNOWN_FORMAT" &&
          says.test(error.message) &&
          instead.test(error.hint ?? ""),
      );
    });
});
