import { join } from "node:path";
import { SiphonError } from "@siphon/wire";
import { examine } from "../../../doctor/src/examine.ts";
import { fixFor } from "../../../doctor/src/fix/fix.ts";
import type { InputFile } from "../../../doctor/src/inputs/input.ts";
import { examinationMarkdown } from "../../../doctor/src/report/markdown.ts";
import { sarif } from "../../../doctor/src/report/sarif.ts";
import { examinationText } from "../../../doctor/src/report/text.ts";
import { readCases } from "../../../doctor/test/support/case.ts";

/** Occurs in inputs, and must not occur in any output. */
export const secret = "AQBSdFhcAAAAABAAuZ0zOQmCmSLjYCmTVpkKkg==";

/** Complete sets of files: the given cases, with a key in the usual places. */
export function wholeInputs(): InputFile[][] {
  const cases = ["cases", "more-cases"]
    .flatMap((each) => readCases(join(import.meta.dirname, "../../../doctor/test", each)))
    .map(({ files }) => files.map((file) => ({ ...file, text: file.text.replaceAll("REDACTED", secret) })));
  const line = `/usr/bin/kvm -name a -drive file=rbd:p/i:id=u:key=${secret}:mon_host=192.0.2.1,if=none,id=d0,format=qcow2 -device virtio-blk-pci,drive=d0,num-queues=9 -object secret,id=s,data=${secret}`;
  const config = `[global]\nmon host = 192.0.2.1\nkey = ${secret}\nauth client required = none\n[client.x]\nrbd_plugins = pwl_cache\nrbd_persistent_cache_mode = ssd\n`;
  const template = `NAME="a"\nVCPU="4"\nDISK=[DATASTORE="ceph",DEV_PREFIX="sd",CACHE="writeback",\n  CEPH_KEY="${secret}" ]\nFEATURES=[IOTHREADS="1"]\n`;
  const disk = `<disk type='network' device='disk'><driver name='qemu' cache='writeback'/><source protocol='rbd' name='p/i'><host name='192.0.2.1'/></source><auth username='u'><secret type='ceph' uuid='${secret}'/></auth><target dev='vda' bus='virtio'/></disk>`;
  const proxmox = {
    scsi0: `ceph:vm-1-disk-0,cache=unsafe`,
    sata1: "ceph:vm-1-disk-1",
    cores: 4,
    digest: "x",
  };
  const pending = `cur cores: 4\nnew cores: 8\ncur memory: 4096\ndel machine: pc-q35-4.2\ncur args: -drive file=rbd:p/i:key=${secret},if=virtio\ncur ide0: ceph:vm-1-disk-0\n`;
  const onevm = `<VM><NAME>a</NAME><TEMPLATE><VCPU>4</VCPU><DISK><DISK_TYPE>RBD</DISK_TYPE><TARGET>vda</TARGET><CEPH_KEY>${secret}</CEPH_KEY><CACHE>unsafe</CACHE></DISK></TEMPLATE></VM>`;
  const nodes = ["a", "b"].map(
    (name) => `-blockdev {"driver":"rbd","pool":"p","image":"${name}","node-name":"${name}"}`,
  );
  const quorum = `/usr/bin/kvm ${nodes.join(" ")} -blockdev {"driver":"quorum","node-name":"q","children":["a","b"]} -device ide-hd,drive=q -device lsi,id=s`;
  const alone = {
    ...{ "ps.txt": line, "ceph.conf": config, "template.one": template, "disk.xml": disk },
    ...{
      "pvesh.json": JSON.stringify(proxmox),
      "pending.txt": pending,
      "vm.xml": onevm,
      "quorum.txt": quorum,
    },
  };
  return [...cases, ...Object.entries(alone).map(([name, text]) => [{ name, text }])];
}

/** A change of a text: its place and kind, as numbers that are valid for any text. */
export interface Mutation {
  kind: "delete" | "copy" | "insert" | "truncate" | "replace";
  at: number;
  length: number;
  value: number;
}

export const mutationKinds = ["delete", "copy", "insert", "truncate", "replace"] as const;

/** Tokens that matter to the grammars. */
const pieces = [
  ..."\"'<>{}[]:,=\\\n\t\0-#;&*!|%@/",
  ",,",
  "\\,",
  "-device ",
  "-drive file=rbd:",
  "-blockdev {",
  '{"driver":"rbd"',
  "<disk>",
  "</disk>",
  "<!--",
  "<![CDATA[",
  "]]>",
  "&amp;",
  "&#0;",
  "---\n",
  "- ",
  "&a [*a]",
  "<<: *a",
  "__proto__",
  "constructor",
  "[libvirt]\n",
  "[PENDING]\n",
  "9999999999999999999",
  "-1",
  "1e309",
  "\ud800",
  "\u2028",
  "é",
];

export function mutate(text: string, { kind, at, length, value }: Mutation): string {
  const start = text.length === 0 ? 0 : at % text.length;
  const end = Math.min(text.length, start + (length % 64) + 1);
  const piece = pieces[value % pieces.length]!;
  switch (kind) {
    case "delete":
      return text.slice(0, start) + text.slice(end);
    case "copy":
      return text.slice(0, end) + text.slice(start);
    case "insert":
      return text.slice(0, start) + piece.repeat((length % 3) + 1) + text.slice(start);
    case "truncate":
      return text.slice(0, start);
    case "replace":
      return text.slice(0, start) + piece + text.slice(end);
  }
}

/**
 * Examines damaged files, writes all forms of output and asks for every change: each gives a result or a deliberate
 * error.
 *
 * @throws any other error; Error if the key occurs in an output
 */
export function examineDamaged(
  files: readonly InputFile[],
  file: number,
  mutations: readonly Mutation[],
): "read" | "refused" {
  const damaged = files.map((each, index) =>
    index === file % files.length ? { ...each, text: mutations.reduce(mutate, each.text) } : each,
  );
  let outcome: "read" | "refused" = "read";
  const printed: string[] = [];
  try {
    const found = examine(damaged);
    printed.push(JSON.stringify(found), JSON.stringify(sarif(found)), ...found.map(examinationMarkdown));
    printed.push(...found.map((each) => examinationText(each, { columns: 80, color: false })));
    for (const { id } of found
      .flatMap(({ disks, vm }) => [...disks.flatMap(({ findings }) => findings), ...vm.findings])
      .slice(0, 3))
      printed.push(...fixFor(damaged, id).words);
  } catch (error) {
    if (!(error instanceof SiphonError)) throw error;
    printed.push(error.message, error.hint ?? "");
    outcome = "refused";
  }
  if (printed.some((text) => text.includes(secret))) throw new Error("a key stands in an output");
  return outcome;
}
