/** A kind of text that the doctor does not read, and what to give instead. */
export interface Stranger {
  is: string;
  instead: string;
}

const domainXml = "give the domain's XML: virsh dumpxml DOMAIN";

interface Known extends Stranger {
  pattern: RegExp;
  without?: RegExp;
}

/** Outputs and files that people have at hand, recognised by characteristic text; some look like a known format. */
const disguised: readonly Known[] = [
  {
    pattern: /^\s*\[glance_store\]|^[ \t]*rbd_store_\w+[ \t]*=/m,
    without: /^\s*\[libvirt\]|^\s*(volume_driver|rbd_pool)\s*=/m,
    is: "is Glance's configuration, which says how images are stored, not how VMs use them",
    instead:
      "give nova.conf of a compute host; rbd info of an image shows what rbd_store_chunk_size made of it",
  },
  {
    pattern: /OS-EXT-SRV-ATTR:|^\|\s*(Field|Property)\s*\|\s*Value\s*\|/m,
    is: "is what OpenStack's client prints, which does not say how QEMU opens the disks",
    instead:
      "give nova.conf of the compute host, or virsh dumpxml of the instance there (OS-EXT-SRV-ATTR:instance_name is the domain's name)",
  },
  {
    pattern: /^\s*\{\s*"return"\s*:|"inserted"\s*:\s*\{/,
    is: "is an answer of QEMU's monitor, which names neither the disks' bus nor their threads",
    instead: `${domainXml}, or QEMU's command line: ps -o args= -p PID`,
  },
  {
    pattern:
      /^\s*(<\?xml[^>]*>\s*)?<(volume|network|secret|capabilities|domainCapabilities|device|storagepoolCapabilities|domainbackup)[\s>]/,
    is: "is XML of libvirt, but not of a domain",
    instead: domainXml,
  },
  {
    pattern: /^\s*(<\?xml[^>]*>\s*)?<(vms?|disks?_attachments?|disks)[\s>]/,
    is: "is what oVirt's engine says of a VM, which is not how its host runs it",
    instead: "give the domain's XML of the host: virsh -r dumpxml VM",
  },
  {
    pattern: /^\s*VIRTUAL MACHINE \d+ INFORMATION\s*$/m,
    is: "is what onevm show prints for people, which leaves the disks' attributes out",
    instead: "give onevm show -x ID, or virsh dumpxml one-ID of its host",
  },
  {
    pattern: /^\s*resource\s+"[\w-]+"\s+"[\w-]+"\s*\{|^(sudo )?virt-install\s/m,
    is: "is what a VM is made by, which leaves the rest to others",
    instead: "give what was made: virsh dumpxml DOMAIN, qm config VMID",
  },
  {
    pattern: /^- Instance name:|^Instance name: /m,
    is: "is what gnt-instance info prints, which is not how QEMU is started",
    instead: "give the instance's command line of its node: ps -o args= -C qemu-system-x86_64 (or -C kvm)",
  },
  {
    pattern: /^\s*(config\.version|virtualHW\.version)\s*=/m,
    is: "is a VM of VMware, which runs in no QEMU",
    instead: "the doctor reads VMs of QEMU",
  },
  {
    pattern: /^\s*(builder|type)\s*=\s*["'](hvm|pv|pvh)["']/m,
    is: "is a VM of Xen, which the doctor does not know",
    instead: "the doctor reads VMs of QEMU with KVM or TCG",
  },
];

/** Tables and summaries, which may accompany texts that the doctor reads. */
const tables: readonly Known[] = [
  {
    pattern: /^\s*(Target\s+Source|Type\s+Device\s+Target\s+Source|Id\s+Name\s+State)\s*$/m,
    is: "is a table of virsh, which has only names",
    instead: domainXml,
  },
  {
    pattern: /^\s*VMID\s+(NAME|Status)\s/m,
    is: "is Proxmox's list of guests",
    instead: "give the configuration of one: qm config VMID, or /etc/pve/qemu-server/VMID.conf",
  },
  {
    pattern: /^(NAMESPACE\s+)?NAME\s+AGE\s+(STATUS|PHASE)\b/m,
    is: "is kubectl's table of VMs",
    instead: "give the objects: kubectl get vm,pvc,storageclass -o yaml",
  },
  {
    pattern: /^API Version:\s+kubevirt\.io\//m,
    is: "is what kubectl describe prints, which is not the object",
    instead: "give the object: kubectl get vm NAME -o yaml",
  },
  {
    pattern: /^\s*cluster:\s*$[\s\S]*^\s*health:\s+HEALTH_/m,
    is: "is the cluster's state, without a VM",
    instead: "give the VM's configuration; --ask-cluster asks the cluster itself",
  },
  {
    pattern: /^WHO\s+MASK\s+LEVEL\s+OPTION\s/m,
    is: "is the monitors' list of settings, without a VM",
    instead:
      "give ceph.conf of the VM's host; --ask-cluster asks the cluster for settings of images and pools",
  },
];

/** The first bytes of compressed files, decoded as text. */
const packed: readonly (readonly [start: string, program: string])[] = [
  ["\u001f\ufffd", "gunzip"],
  ["\ufffd7zXZ", "unxz"],
  ["(\ufffd/\ufffd", "unzstd"],
  ["BZh91AY", "bunzip2"],
  ["PK\u0003\u0004", "unzip"],
];

/** Whether a character marks a binary file. NUL (in /proc/PID/cmdline) and a terminal's escapes do not. */
function isStrange(character: string): boolean {
  return character === "\ufffd" || (character < " " && !"\0\t\n\v\f\r\u001b".includes(character));
}

/** Recognises texts that are refused before any format is tried; undefined for others. */
export function strangerOf(text: string): Stranger | undefined {
  if (text.trim() === "")
    return {
      is: "is empty",
      instead: "give the VM's configuration; siphon doctor vm --help lists the formats",
    };
  const program = packed.find(([start]) => text.startsWith(start))?.[1];
  if (program !== undefined) return { is: "is compressed", instead: `unpack it first: ${program}` };
  if ([...text.slice(0, 4096)].filter(isStrange).length > 16)
    return { is: "is not text", instead: "give the VM's configuration; an image itself is not examined" };
  return /<domain[\s>]/.test(text) ? undefined : among(disguised, text);
}

/** Recognises tables, after no format has matched. */
export function tableOf(text: string): Stranger | undefined {
  return among(tables, text);
}

function among(known: readonly Known[], text: string): Stranger | undefined {
  return known.find(({ pattern, without }) => pattern.test(text) && without?.test(text) !== true);
}
