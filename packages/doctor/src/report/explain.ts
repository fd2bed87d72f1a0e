import { type Finding, fixWords, type Syntax } from "../findings/finding.ts";
import { type RungName, rungWords } from "../findings/rungs.ts";
import { emptyVm, type Platform } from "../model/vm.ts";
import { worthWords } from "./words.ts";

const platforms: readonly Syntax[] = [
  "qemu",
  "libvirt",
  "proxmox",
  "kubevirt",
  "openstack",
  "openstack-nova",
  "rook",
  "incus",
  "opennebula",
  "cloudstack",
  "ganeti",
  "spdk",
  "ceph-nvmeof",
  "ceph-conf",
  "any",
];

/** A finding in full, in Markdown: what it is, when the change is wrong, sources, how to measure it. */
export function explanation(finding: Finding, level = "##"): string {
  const { id, title, severity, when, not, why, worth, wrong, takes, rung, measure, sources } = finding;
  const lines = [
    `${level} ${id}`,
    "",
    `**${title}.** ${why}`,
    "",
    `- Severity: ${severity}.`,
    `- Applies when: ${when}`,
    `- Does not apply: ${not}`,
    `- Worth: ${worth === null ? "no figure is known." : `${worthWords(worth)}.`}`,
    `- When not to change it: ${wrong}`,
    `- Takes effect: ${effects[takes]}`,
    `- How to measure it: ${howToMeasure(measure, rung)}`,
    ...(sources ?? []).map((source) => `- Source: ${source}`),
    "",
    ...fixes(finding),
  ];
  return `${lines.join("\n")}\n`;
}

const effects: Record<Finding["takes"], string> = {
  live: "while the VM runs.",
  restart: "after a stop and a start of the VM (a reboot inside the guest is not enough).",
  "new VMs": "for new VMs.",
  "new images": "for new images and mappings.",
  "nothing to do": "there is nothing to change.",
};

function howToMeasure(measure: string | undefined, rung: RungName | undefined): string {
  if (measure !== undefined) return `\`${measure}\`.`;
  if (rung !== undefined)
    return `this is the rung \`${rung}\` of the ladder (${rungWords[rung].title}): \`siphon ladder --rungs ${rung}\`, with the rung before it.`;
  return "run the same load in the guest before and after the change, several times each, in turns.";
}

/** The change in each syntax that has its own words. */
function fixes(finding: Finding): string[] {
  const rows = platforms.flatMap((syntax) => {
    if (finding.fix[syntax] === undefined) return [];
    return [
      `| ${syntax === "any" ? "elsewhere" : syntax} | \`${fixFor(finding, syntax).replaceAll("|", "\\|")}\` |`,
    ];
  });
  return ["| platform | change |", "| --- | --- |", ...rows];
}

function fixFor(finding: Finding, syntax: Syntax): string {
  const vm = emptyVm((syntax === "any" ? "qemu" : syntax) as Platform, { file: "", line: 1 });
  vm.vcpus = 4;
  if (syntax !== "any") return fixWords(finding, { vm });
  return fixWords({ ...finding, fix: { any: finding.fix.any! } }, { vm });
}
