import { writeFile } from "node:fs/promises";
import {
  addCluster,
  DoctorError,
  type Examination,
  type ExamineOptions,
  examinationMarkdown,
  examinationText,
  examineVm,
  readVms,
  type Severity,
  sarif,
  severities,
  type Vm,
  vmOfHost,
  vmsOfHost,
} from "@siphon/doctor";
import { Command, InvalidArgumentError, Option } from "commander";
import { connectCluster, withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { clusterView } from "./cluster-view.ts";
import { readInputs } from "./inputs.ts";
import type { Measured } from "./measure.ts";
import { type MeasureFlags, withMeasureFlags } from "./measure-flags.ts";

interface VmFlags extends MeasureFlags {
  seconds: number;
  profile?: boolean;
  json?: boolean;
  markdown?: boolean;
  sarif?: boolean;
  html?: string;
  failOn?: Severity;
  run?: string;
  askCluster?: boolean;
}

/** Exit code of --fail-on: a finding is at least that severe. */
const failed = 3;

export function vmCommand(): Command {
  const command = new Command("vm")
    .description(
      "Examine the disks of VMs on RBD: show what slows them down, what a change is worth, and the change in the platform's\n" +
        "syntax. Changes nothing, and starts nothing unless --measure is given.",
    )
    .argument(
      "[what...]",
      "a pid, a libvirt domain or a Proxmox id of this host; or files: libvirt XML, a QEMU command line, Proxmox, KubeVirt, Rook, " +
        "Nova, Incus, OpenNebula, SPDK configurations, ceph.conf, with what stands beside them (storage.cfg, rbd info, maps), or a " +
        "directory of them; - for standard input; nothing: every VM of this host with a disk on RBD",
    )
    .option("--seconds <n>", "seconds for which a running VM is watched", seconds, 10)
    .option(
      "--profile",
      "also take a wallclock profile of each running VM after it was watched, as siphon profile does, written under profiles",
    )
    .option(
      "--run <results.json>",
      "directory of your own ladder run, whose results replace the published figures",
    )
    .option(
      "--ask-cluster",
      "also ask the cluster of ceph.conf about images and pools; --conf, --cluster and their like imply it, but not with --measure",
    )
    .optionsGroup("Output:")
    .addOption(new Option("--json", "as JSON").conflicts(["markdown", "sarif"]))
    .addOption(new Option("--markdown", "as Markdown, for a ticket").conflicts(["json", "sarif"]))
    .addOption(new Option("--sarif", "as SARIF 2.1.0, for code scanning").conflicts(["json", "markdown"]))
    .option("--html <file>", "also write a self-contained page, for tickets and for print")
    .addOption(
      new Option(
        "--fail-on <severity>",
        "exit with 3 if a finding of this severity, or a worse one, is found",
      ).choices(["high", "medium", "low"]),
    )
    .action(run);
  return withConnectFlags(withMeasureFlags(command));
}

async function run(words: string[], flags: VmFlags): Promise<void> {
  const ofRun: ExamineOptions = flags.run === undefined ? {} : { worth: await worthOfRun(flags.run) };
  const vms = await findVms(words, flags);
  // With --measure these flags say where the test image goes, which may not be the VM's cluster.
  const named = connectFlags.some((flag) => flags[flag] !== undefined);
  if (flags.askCluster || (named && flags.measure !== true)) await askCluster(vms, flags);
  if (flags.profile) await profileVms(vms, flags.seconds);
  const { measured, failure } = flags.measure === true ? await measureVms(vms, flags) : {};
  const options = { ...ofRun, ...(measured !== undefined && { measured }) };
  const examinations = vms.map((vm) => examineVm(vm, options));
  if (flags.html !== undefined) {
    const { vmDoctorPage } = await import("@siphon/lab");
    await writeFile(flags.html, vmDoctorPage(examinations));
  }
  process.stdout.write(rendered(examinations, flags));
  if (failure !== undefined) throw failure;
  if (flags.failOn !== undefined && isAtLeast(examinations, flags.failOn)) process.exitCode = failed;
}

const connectFlags = ["conf", "cluster", "name", "id", "monHost", "keyring", "keyfile"] as const;

async function askCluster(vms: readonly Vm[], flags: VmFlags): Promise<void> {
  await using cluster = await connectCluster(flags);
  const view = clusterView(cluster);
  for (const vm of vms) await addCluster(vm, view);
}

async function findVms(words: readonly string[], { seconds: length }: VmFlags): Promise<Vm[]> {
  const watching = { seconds: length, signal: interruption.signal };
  if (words.length === 0) return vmsOfHost(watching);
  const files = await readInputs(words);
  if (files === undefined) return Promise.all(words.map((word) => vmOfHost(word, watching)));
  const vms = readVms(files);
  if (vms.length > 0) return vms;
  throw new DoctorError("SIPHON_USAGE", "none of the files describes a VM, or what VMs are made with", {
    hint: "siphon doctor vm --help says what can be read",
  });
}

function rendered(examinations: readonly Examination[], { json, markdown, sarif: asSarif }: VmFlags): string {
  if (asSarif) return `${JSON.stringify(sarif(examinations), null, 2)}\n`;
  if (json)
    return `${JSON.stringify(examinations.length === 1 ? examinations[0] : { vms: examinations }, null, 2)}\n`;
  if (markdown) return examinations.map(examinationMarkdown).join("\n");
  if (examinations.length === 0) return "No QEMU process on this host has a disk on RBD.\n";
  const { stdout } = process;
  const terminal = { columns: stdout.columns ?? 120, color: stdout.isTTY === true && stdout.hasColors() };
  return examinations.map((examination) => examinationText(examination, terminal)).join("\n");
}

function isAtLeast(examinations: readonly Examination[], severity: Severity): boolean {
  const worst = severities.indexOf(severity);
  return examinations.some(({ disks, vm }) =>
    [...disks, vm].some(({ findings }) =>
      findings.some((finding) => severities.indexOf(finding.severity) <= worst),
    ),
  );
}

/** Loads the lab, which is large, only when it is needed. */
async function measureVms(vms: readonly Vm[], flags: VmFlags): Promise<Partial<Measured>> {
  const { measure } = await import("./measure.ts");
  return measure(vms, flags);
}

async function profileVms(vms: readonly Vm[], seconds: number): Promise<void> {
  const { profileVm } = await import("./profile-vm.ts");
  for (const vm of vms) await profileVm(vm, seconds);
}

async function worthOfRun(path: string): Promise<ExamineOptions["worth"]> {
  const { worthOfRungs } = await import("@siphon/lab");
  return worthOfRungs(path);
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0 || value > 3600)
    throw new InvalidArgumentError("a number of seconds from 0 to 3600 is needed");
  return value;
}
