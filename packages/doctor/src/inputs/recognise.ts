import { DoctorError } from "../errors.ts";
import type { Format, InputFile, RecognisedFile } from "./input.ts";
import { otherReadings, withoutTerminal } from "./pasted.ts";
import { withoutPrefixes } from "./proxmox/listing.ts";
import { isProgram } from "./qemu/arguments.ts";
import { type Stranger, strangerOf, tableOf } from "./strangers.ts";

/**
 * Recognises a text's format from its content; the file's name decides only if several formats fit.
 *
 * @throws DoctorError SIPHON_UNKNOWN_FORMAT
 */
export function recognise(file: InputFile): RecognisedFile {
  // A byte order mark is not part of the first line.
  const text = withoutTerminal(file.text.replace(/^\uFEFF/, ""));
  const name = baseName(file.name);
  const stranger = strangerOf(text);
  if (stranger !== undefined) throw refused(file, stranger);
  const format = formatOf(text, name);
  if (format !== undefined) return { ...file, text, format };
  for (const reading of otherReadings(text)) {
    const other = formatOf(reading, name);
    if (other !== undefined) return { ...file, text: reading, format: other };
  }
  const table = tableOf(text);
  if (table !== undefined) throw refused(file, table);
  throw new DoctorError(
    "SIPHON_UNKNOWN_FORMAT",
    `${file.name} has none of the formats that the doctor reads`,
    {
      hint: "it reads QEMU command lines, libvirt XML, Proxmox, KubeVirt, Rook, Nova, Incus, OpenNebula and SPDK configurations, ceph.conf, and related files: siphon doctor vm --help",
    },
  );
}

function refused({ name }: InputFile, { is, instead }: Stranger): DoctorError {
  return new DoctorError("SIPHON_UNKNOWN_FORMAT", `${name} ${is}`, { hint: instead });
}

function formatOf(text: string, name: string): Format | undefined {
  const start = text.trimStart();
  if (start.startsWith("<")) return xmlFormat(start);
  if (/^[0-9a-f]{4,16}-[0-9a-f]{4,16} [r-][w-][x-][ps] /m.test(text)) return "maps";
  if (/^[ \t]*rbd image '/m.test(text)) return "rbd-info";
  if (isMap(text, name)) return "rbd-map";
  if (isCommandLine(text)) return "qemu";
  if (
    /^\[(device|drive|object|machine|chardev)( "[^"]*")?\]\s*$/m.test(text) &&
    /^[ \t]*[\w.-]+ = "/m.test(text)
  )
    return "qemu-config";
  if (start.startsWith("{") || start.startsWith("[{")) return jsonFormat(start);
  return iniFormat(text, name) ?? lineFormat(text, name) ?? yamlFormat(text, name) ?? proseFormat(text, name);
}

function xmlFormat(start: string): Format | undefined {
  const root = /<([A-Za-z][\w:.-]*)/.exec(
    start.replace(/<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!DOCTYPE[^>]*>/g, ""),
  )?.[1];
  if (root === undefined) return undefined;
  if (root === "VM" || root === "VMTEMPLATE") return "opennebula";
  if (root === "pool") return "libvirt-pool";
  return ["domain", "domstatus", "domainsnapshot", "domaincheckpoint", "disk"].includes(root)
    ? "libvirt"
    : undefined;
}

function jsonFormat(start: string): Format | undefined {
  if (/"subsystems"\s*:/.test(start)) return "spdk";
  if (/"apiVersion"\s*:/.test(start)) return "kubernetes";
  if (/"block_name_prefix"\s*:|"object_size"\s*:/.test(start)) return "rbd-info";
  if (
    /"(key"\s*:\s*")?(scsi|virtio|ide|sata|efidisk|rootfs|mp)\d*"/.test(start) &&
    /"(digest|ostype|cores|memory|vmgenid|smbios1|hostname)"/.test(start)
  )
    return "proxmox";
  if (/"(VM|VMTEMPLATE)"\s*:\s*\{/.test(start)) return "opennebula";
  if (/"type"\s*:\s*"virtual-machine"/.test(start)) return "incus";
  return undefined;
}

function isMap(text: string, name: string): boolean {
  if (/^[^\n#]*\brbd(-nbd)?\s+(device\s+|dev\s+)?(-\S+\s+(\S+\s+)?)*map\b/m.test(text)) return true;
  if (/^id\s+pool\s+(namespace\s+)?image\s+snap\s+device/m.test(text)) return true;
  return name === "rbdmap" || name === "rbd-map.txt";
}

function isCommandLine(text: string): boolean {
  const words = text.split(/[\s\0]+/);
  const program = words.findIndex((word) => isProgram(word.replace(/^['"]|['"]$/g, "")));
  return (
    program >= 0 &&
    words.slice(program).some((word) => /^--?[A-Za-z]/.test(word)) &&
    /\s-|\0-/.test(text) &&
    !/^[ \t]*apiVersion:/m.test(text)
  );
}

function iniFormat(text: string, name: string): Format | undefined {
  const sections = [...text.matchAll(/^\[\s*([^\]\n]+?)\s*\]\s*$/gm)].map((match) => match[1]!);
  if (sections.length === 0) return undefined;
  const has = (...names: string[]) => sections.some((section) => names.includes(section));
  if (has("gateway", "gateway-logs", "spdk")) return "nvmeof";
  if (/^volume_driver\s*=\s*["']?cinder\./m.test(text)) return "cinder";
  if (has("libvirt", "neutron", "api_database", "placement", "vnc", "glance") || name === "nova.conf")
    return "nova";
  if (isProxmox(text)) return "proxmox";
  if (sections.some((section) => /^(global|client|osd|mon|mgr|mds)(\.|$)/.test(section))) return "ceph-conf";
  if (/^[ \t]*(mon[ _]host|fsid|rbd[ _]\w+)\s*=/m.test(text)) return "ceph-conf";
  if (/^(disk_cachemodes|compute_driver|force_raw_images|images_type|libvirt_\w+)\s*=/m.test(text))
    return "nova";
  return undefined;
}

/** Formats with `key: value` or `key/value` lines, which could be mistaken for YAML. */
function lineFormat(text: string, name: string): Format | undefined {
  if (isProxmox(text)) return "proxmox";
  if (
    /^(rbd|dir|lvm|lvmthin|zfspool|zfs|cephfs|nfs|cifs|btrfs|pbs|glusterfs|iscsi|iscsidirect|esxi):[ \t]+\S+[ \t]*$/m.test(
      text,
    ) &&
    /^[ \t]+(content|pool|path|krbd|monhost|vgname|server|portal|datastore|thinpool)[ \t]/m.test(text)
  )
    return "proxmox-storage";
  if (/^(pve-manager|proxmox-ve|qemu-server)[/:]/m.test(text) || name === "pveversion.txt")
    return "proxmox-version";
  if (/^[ \t]*(NAME|DISK|CPU|NIC|TEMPLATE|IMAGE_ID|VCPU)\s*=\s*["[]/m.test(text)) return "opennebula";
  return undefined;
}

function isProxmox(listed: string): boolean {
  const text = withoutPrefixes(listed);
  if (/^apiVersion:/m.test(text)) return false;
  if (/^rootfs:[ \t]+\S+[:/]\S/m.test(text)) return true;
  const disk = /^(scsi|virtio|ide|sata|efidisk)\d+:[ \t]+\S+[:,/]\S+/m.test(text);
  const keys = [
    "cores",
    "sockets",
    "memory",
    "ostype",
    "smbios1",
    "bootdisk",
    "boot",
    "scsihw",
    "numa",
    "onboot",
    "vmgenid",
    "agent",
    "meta",
  ];
  const count = keys.filter((key) => new RegExp(`^${key}:[ \\t]`, "m").test(text)).length;
  return (disk && count >= 1) || count >= 4;
}

function yamlFormat(text: string, name: string): Format | undefined {
  if (/^[ \t]*apiVersion:\s*\S/m.test(text) && /^[ \t]*kind:\s*\S/m.test(text)) return "kubernetes";
  if (
    /^driver:\s*\w+\s*$/m.test(text) &&
    /^(config|used_by|source|name):/m.test(text) &&
    !/^devices:/m.test(text)
  )
    return "incus-storage";
  if (
    /^(- | {2})?(devices|expanded_devices):/m.test(text) &&
    /^(- | {2})?(config|architecture|type|profiles):/m.test(text)
  )
    return "incus";
  if (
    /^(kolla_\w+|openstack_tag|nova_backend_ceph|nova_backend|cinder_backend_ceph|glance_backend_ceph):/m.test(
      text,
    )
  )
    return "kolla";
  if (/^[ \t]*(ceph_|nova_|cinder_|glance_|openstack_|haproxy_|external_lb|rbd_)\w*:/m.test(text))
    return "ansible";
  return name.endsWith("variables.yml") ? "ansible" : undefined;
}

function proseFormat(text: string, name: string): Format | undefined {
  if (
    /openstack|\bnova\b|kolla/i.test(text) &&
    text.length < 4000 &&
    (name === "release.txt" || /\b20\d\d\.[12]\b|\bnova[ -]?\d\d/i.test(text))
  )
    return "release";
  if (
    /(^|\s)(librbd1?|librados2?|qemu-kvm|qemu-system-x86|pve-qemu-kvm|ceph-common)(:\w+)?[-\s:=]+\d/m.test(
      text,
    )
  )
    return "packages";
  if (/ceph version \d+\.\d+|QEMU emulator version|libvirt[ d)]+\d/i.test(text)) return "versions";
  if (name === "release.txt") return "release";
  if (name === "packages.txt") return "packages";
  if (name === "versions.txt") return "versions";
  if (/^(mon[ _]host|fsid|rbd_\w+)\s*=/m.test(text)) return "ceph-conf";
  if (name === "nova.conf" || /^(disk_cachemodes|virt_type|images_type)\s*=/m.test(text)) return "nova";
  return name === "ceph.conf" ? "ceph-conf" : undefined;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
