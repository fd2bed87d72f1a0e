import { DoctorError } from "../errors.ts";
import type { Examination, FoundFinding } from "../examination.ts";
import { examineVm } from "../examine.ts";
import { findingById } from "../findings/all.ts";
import { vmsOf } from "../inputs/case.ts";
import type { InputFile, RecognisedFile } from "../inputs/input.ts";
import { partsOfDomains } from "../inputs/libvirt/several.ts";
import { linesOfCommands } from "../inputs/qemu/several.ts";
import { recognise } from "../inputs/recognise.ts";
import { diffOf } from "./diff.ts";
import type { FixTarget } from "./fix-target.ts";
import { fixCeph, fixNova } from "./ini.ts";
import { fixLibvirt } from "./libvirt.ts";
import { fixAnsible, fixKolla } from "./openstack-yaml.ts";
import { fixProxmox } from "./proxmox.ts";
import { fixQemu } from "./qemu.ts";
import { rewrittenBy, whyNoPatch } from "./reasons.ts";
import { fixIncus, fixKubernetes } from "./yaml.ts";

export interface Fix {
  /** The files before and after the change. */
  patches: { name: string; before: string; after: string; diff: string }[];
  /** The same change in the platform's terms: commands, or what to write if there is no patch. */
  words: string[];
  /** Sentences about the patches: why there is none, or why it does not last. */
  notes: string[];
}

/** Formats whose files describe one VM and nothing about others. */
const ofOneVm: readonly RecognisedFile["format"][] = [
  "qemu",
  "libvirt",
  "proxmox",
  "nova",
  "incus",
  "kolla",
  "ansible",
];

type Fixer = (file: RecognisedFile, target: FixTarget) => string | undefined;

const fixers: Partial<Record<RecognisedFile["format"], Fixer>> = {
  libvirt: fixLibvirt,
  proxmox: fixProxmox,
  qemu: fixQemu,
  kubernetes: fixKubernetes,
  nova: fixNova,
  "ceph-conf": fixCeph,
  incus: fixIncus,
  kolla: fixKolla,
  ansible: fixAnsible,
};

/**
 * The change that fixes one finding: as a patch if the files can express it, and in words.
 *
 * @param disk one of the disks that have the finding (default: all of them)
 * @throws DoctorError SIPHON_USAGE if there is no such finding, or it does not apply to the files
 */
export function fixFor(files: readonly InputFile[], id: string, disk?: string): Fix {
  const finding = findingById(id);
  if (finding === undefined)
    throw new DoctorError("SIPHON_USAGE", `there is no finding ${id}`, {
      hint: "siphon doctor explain lists them",
    });
  const known = files.map(recognise);
  const fix: Fix = { patches: [], words: [], notes: [] };
  let found = false;
  const vms = vmsOf(known);
  for (const vm of vms) {
    const examination = examineVm(vm);
    const disks = examination.disks.filter(
      (each) =>
        (disk === undefined || each.disk === disk) && each.findings.some((finding) => finding.id === id),
    );
    const ofVm = disk === undefined ? examination.vm.findings.filter((finding) => finding.id === id) : [];
    if (disks.length === 0 && ofVm.length === 0) continue;
    found = true;
    fix.words.push(...wordsOf(examination, id, disk));
    const target: FixTarget = { id, disks: disks.map((each) => each.disk), vm };
    for (const [index, file] of known.entries()) {
      if (ofOneVm.includes(file.format) && vm.place.file !== file.name) continue;
      const { text } = files[index]!;
      const earlier = fix.patches.find(({ name }) => name === file.name);
      const before = earlier?.after ?? text;
      const number = vms.filter(({ place }) => place.file === file.name).indexOf(vm);
      const after = fixedText(file, before, number, target);
      if (after === undefined || after === before) continue;
      const diff = diffOf({ ...file, text }, after);
      if (earlier === undefined) fix.patches.push({ name: file.name, before: text, after, diff });
      else Object.assign(earlier, { after, diff });
      const note = rewrittenBy(vm, file.format);
      if (note !== undefined && !fix.notes.includes(note)) fix.notes.push(note);
    }
  }
  if (!found) {
    const where = disk === undefined ? "" : ` at ${disk}`;
    throw new DoctorError(
      "SIPHON_USAGE",
      `${id} was not found${where} in ${files.map(({ name }) => name).join(", ")}`,
      {
        hint: "siphon doctor vm with the same files lists the findings",
      },
    );
  }
  if (fix.patches.length > 0 && !helps(vms, files, fix.patches, id)) fix.patches = [];
  if (fix.patches.length === 0)
    fix.notes = [
      whyNoPatch(
        finding,
        known.some(({ format }) => fixers[format] !== undefined),
      ),
    ];
  return fix;
}

/** Whether the patches remove at least one occurrence: another setting may still be in force. */
function helps(
  vms: ReturnType<typeof vmsOf>,
  files: readonly InputFile[],
  patches: Fix["patches"],
  id: string,
): boolean {
  const count = (examined: typeof vms) =>
    examined
      .map((vm) => examineVm(vm))
      .flatMap(({ disks, vm }) => [...disks.flatMap(({ findings }) => findings), ...vm.findings])
      .filter((finding) => finding.id === id).length;
  const patched = files.map((file) => {
    const patch = patches.find(({ name }) => name === file.name);
    return patch === undefined ? file : { ...file, text: patch.after };
  });
  try {
    return count(vmsOf(patched.map(recognise))) < count(vms);
  } catch {
    return false;
  }
}

/** Runs a fixer, which writes line feeds, and restores Windows line ends and the byte order mark. */
function fixedText(
  file: RecognisedFile,
  before: string,
  number: number,
  target: FixTarget,
): string | undefined {
  const mark = before.startsWith("\uFEFF") ? "\uFEFF" : "";
  const text = before.slice(mark.length).replaceAll("\r\n", "\n");
  const isWindows = text.length < before.length - mark.length;
  const after = fixedPart({ ...file, text }, number, target);
  return after === undefined ? undefined : mark + (isWindows ? after.replaceAll("\n", "\r\n") : after);
}

/** Changes one VM's part of a text that describes several. */
function fixedPart(file: RecognisedFile, number: number, target: FixTarget): string | undefined {
  const fix = (text: string) => fixers[file.format]?.({ ...file, text }, target);
  const [parts, separator] =
    file.format === "qemu" ? [file.text.split("\n"), "\n"] : [partsOfDomains(file.text), ""];
  const at =
    file.format === "qemu"
      ? linesOfCommands(file.text)[number]
      : file.format === "libvirt" && parts.length > 1
        ? number
        : undefined;
  if (at === undefined) return fix(file.text);
  const changed = fix(parts[at]!);
  return changed === undefined ? undefined : parts.with(at, changed).join(separator);
}

function wordsOf({ disks, vm }: Examination, id: string, disk: string | undefined): string[] {
  const of = (findings: readonly FoundFinding[]) =>
    findings.filter((finding) => finding.id === id).map(({ fix }) => fix);
  const shown = disks.filter((each) => disk === undefined || each.disk === disk);
  return [
    ...new Set([
      ...shown.flatMap(({ findings }) => of(findings)),
      ...(disk === undefined ? of(vm.findings) : []),
    ]),
  ];
}
