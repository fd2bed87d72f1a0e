/**
 * Says what is wrong with the disk path of VMs, from what describes them: libvirt's XML, QEMU's command line, Proxmox's qm config, ...
 *
 *     virsh dumpxml vm1 > vm1.xml
 *     node examples/examine-vm.ts vm1.xml
 *
 * No cluster is needed. Exits with 1 if anything should be changed.
 */
import { readFileSync } from "node:fs";
import { examine } from "@siphon/doctor";

const names = process.argv.slice(2);
if (names.length === 0) {
  console.error("usage: node examples/examine-vm.ts FILE...");
  process.exit(2);
}

for (const { name, verdict, disks, vm } of examine(
  names.map((file) => ({ name: file, text: readFileSync(file, "utf8") })),
)) {
  console.log(`${name ?? "a VM without a name"}: ${verdict}`);
  for (const { id, severity, title, fix } of [...disks.flatMap(({ findings }) => findings), ...vm.findings]) {
    console.log(`  ${severity} ${id}: ${title}\n    ${fix}`);
    if (severity !== "info") process.exitCode = 1;
  }
}
