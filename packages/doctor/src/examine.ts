import type { Examination, ExaminedDisk, FoundFinding } from "./examination.ts";
import { allFindings } from "./findings/all.ts";
import {
  type Finding,
  fixWords,
  type Hit,
  type Subject,
  severities,
  type Worth,
} from "./findings/finding.ts";
import { vmsOf } from "./inputs/case.ts";
import type { InputFile } from "./inputs/input.ts";
import { recognise } from "./inputs/recognise.ts";
import type { Disk } from "./model/disk.ts";
import { isRbd } from "./model/disk.ts";
import type { Vm } from "./model/vm.ts";
import { redact } from "./redact.ts";
import { verdictOf } from "./verdict.ts";

export interface ExamineOptions {
  /** The worth of each ladder rung in the user's own run, by the rung's name. */
  worth?: ReadonlyMap<string, Worth>;
  /** The worth of changes measured for this VM, by the finding's id; they take precedence over all other figures. */
  measured?: ReadonlyMap<string, Worth>;
}

/**
 * Examines the VMs that the texts describe: one examination for each VM, or one for a text that stands for many.
 *
 * @throws DoctorError SIPHON_UNKNOWN_FORMAT, SIPHON_BAD_INPUT; SIPHON_USAGE if no text describes a VM
 */
export function examine(files: readonly InputFile[], options: ExamineOptions = {}): Examination[] {
  return readVms(files).map((vm) => examineVm(vm, options));
}

/** The VMs that the texts describe. */
export function readVms(files: readonly InputFile[]): Vm[] {
  return vmsOf(files.map(recognise));
}

export function examineVm(vm: Vm, options: ExamineOptions = {}): Examination {
  const disks = vm.disks.map((disk): ExaminedDisk => {
    const source = sourceName(disk);
    return {
      disk: redact(disk.name),
      rbd: isRbd(disk),
      ...(source !== undefined && { source }),
      findings: inOrder(
        allFindings.flatMap((finding) => {
          const hit = isRbd(disk) ? finding.disk?.(disk, vm) : undefined;
          return hit === undefined ? [] : [found(finding, hit, { vm, disk }, options)];
        }),
      ),
    };
  });
  const whole = inOrder(
    allFindings.flatMap((finding) => {
      const hits = finding.vm?.(vm);
      return hits === undefined
        ? []
        : [hits].flat().map((hit) => found(finding, hit as Hit, { vm }, options));
    }),
  );
  const examination: Omit<Examination, "verdict"> = {
    platform: vm.platform,
    ...(vm.managedBy !== undefined && { managedBy: vm.managedBy }),
    ...(vm.name !== undefined && vm.name !== "" && { name: redact(vm.name) }),
    ...(vm.id !== undefined && { id: vm.id }),
    ...(vm.pid !== undefined && { pid: vm.pid }),
    disks,
    vm: { findings: whole },
    notes: vm.notes.map(redact),
    unseen: vm.unseen.map(redact),
  };
  const { platform, managedBy, name, id, pid, ...rest } = examination;
  return {
    platform,
    ...(managedBy !== undefined && { managedBy }),
    ...(name !== undefined && { name }),
    ...(id !== undefined && { id }),
    ...(pid !== undefined && { pid }),
    verdict: verdictOf(examination),
    ...rest,
  };
}

function found(
  finding: Finding,
  hit: Hit,
  subject: Subject,
  { worth, measured: ofThisVm }: ExamineOptions,
): FoundFinding {
  const ofRung = finding.rung === undefined ? undefined : worth?.get(finding.rung);
  const measured = ofThisVm?.get(finding.id) ?? ofRung;
  return {
    id: finding.id,
    title: finding.title,
    severity: hit.severity ?? finding.severity,
    why: redact(hit.why ?? finding.why),
    worth: measured ?? (hit.worth === undefined ? finding.worth : hit.worth),
    fix: redact(fixWords(finding, subject)),
    takes: finding.takes,
    place: { ...hit.place, ...(hit.place.path !== undefined && { path: redact(hit.place.path) }) },
  };
}

function inOrder(findings: FoundFinding[]): FoundFinding[] {
  return findings.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
}

function sourceName({ source }: Disk): string | undefined {
  const { pool, namespace, image, path } = source;
  if (image !== undefined && image !== "") return redact([pool, namespace, image].filter(Boolean).join("/"));
  return path === undefined ? undefined : redact(path);
}
