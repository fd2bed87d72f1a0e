import { join } from "node:path";
import {
  furtherRungsOf,
  type LadderOptionsInput,
  type ListedRung,
  listRungs,
  parseLadderOptions,
  powerOf,
  quickOptions,
  readPlan,
  readResults,
  rungsOf,
  runLadder,
} from "@siphon/lab";
import { Command, Option } from "commander";
import { interruption } from "../interruption.ts";
import { withLive } from "../live.ts";
import {
  type CurveFlags,
  curvesFromFlags,
  type LoadFlags,
  loadFromFlags,
  withCurveFlags,
  withLoadFlags,
} from "../load-flags.ts";
import { given, keyTypeOption, listOf, toNumber } from "../options.ts";
import { powerTable } from "../power-table.ts";
import { terminalSteps } from "../progress.ts";
import { rungsInWords } from "../rungs-list.ts";
import { ladderTable } from "../table.ts";

/** The flags from commander; those not given are missing. */
interface Flags extends LoadFlags, CurveFlags {
  quick?: boolean;
  until?: string;
  time?: string;
  power?: boolean;
  list?: boolean;
  live?: boolean;
  slice?: string;
  plan?: string;
  out: string;
  json?: boolean;
  rungs?: string;
  mode?: "cumulative" | "published";
  accel?: LadderOptionsInput["accel"];
  librbd?: string;
  ceph?: string;
  qemu?: string;
  releases?: string;
  guestImage?: string;
  profile?: boolean;
  bigger: boolean;
  cpus?: string;
  memory?: string;
  osds?: string;
  replicas?: string;
  store?: "bluestore" | "memstore";
  keyType?: "aes" | "aes256k";
  conf?: string;
  user?: string;
  pool?: string;
  namespace?: string;
  image?: string;
  yesOverwrite?: boolean;
}

export function ladderCommand(): Command {
  const names = (mode: "cumulative" | "published") => rungsOf(mode).map(({ name }) => name);
  const command = new Command("ladder").description(
    "Start a Ceph cluster (or use yours), create an image, boot a VM on it with one more setting at each rung, run " +
      "fio in the VM, and report IOPS, latency and CPU per I/O with 95 % intervals.",
  );
  const measured = withLoadFlags(command, {
    repeat: "number of blocks; every rung's VM boots once in each (default: 7, or as many as --time allows)",
    seconds: "seconds of measurement of each rung in a block (default: 2)",
  })
    .option("--quick", "three blocks of 2 s on fewer rungs: a first look in less than three minutes")
    .option("--slice <s>", "seconds of a slice; VMs are stopped in between (default: 0.3)")
    .option(
      "--until <share>",
      "add blocks until all ratios of IOPS and CPU per I/O are known to this precision: 5%",
    )
    .option(
      "--time <time>",
      "the limit for --until, and without --repeat for the whole: 10m, 90s (default: 10m)",
    )
    .option("--power", "measure nothing: estimate from the latest run how long a given precision takes")
    .option("--rungs <names>", "comma-separated rungs to measure (default: all of the ladder)")
    .option("--list", "measure nothing: list all rungs, and which of them this host can run")
    .addOption(
      new Option(
        "--mode <mode>",
        "add one setting at each step, or repeat the study's steps as published",
      ).choices(["cumulative", "published"]),
    )
    .addOption(
      new Option("--accel <kind>", "how QEMU runs the guest (default: auto)").choices(["auto", "kvm", "tcg"]),
    )
    .option("--cpus <n>", "vCPUs of the VM (default: 2)")
    .option("--memory <size>", "memory of the VM (default: 512M)")
    .option("--guest-image <file>", "boot this qcow2 or raw image from RBD, as the study does")
    .option("--qemu <root>", "QEMU of a root (siphon root list), or of a directory with a slash in its name")
    .option(
      "--releases <names>",
      "measure releases of librbd instead: pacific,reef,tentacle (siphon root build)",
    )
    .option("--librbd <dir>", "directory of another librbd build, for the new-librbd rung")
    .option("--profile", "one more run of each rung, with QEMU's stacks sampled")
    .option("--no-bigger", "leave out the bigger test, a file on XFS, after the rungs")
    .option("--plan <file>", "YAML file with the same options; flags take precedence")
    .option("--out <dir>", "directory for runs", "runs")
    .option("--live", "show the run in progress, on a page of this machine")
    .option("--json", "print the results as JSON; progress goes to standard error");
  return withCurveFlags(measured)
    .optionsGroup("The local cluster:")
    .option("--osds <n>", "OSDs (default: 1)")
    .option("--replicas <n>", "copies of each object (default: 3, at most one per OSD)")
    .addOption(
      new Option("--store <kind>", "object store of the OSDs (default: memstore)").choices([
        "bluestore",
        "memstore",
      ]),
    )
    .option("--ceph <root>", "daemons, fio and Ceph's programs of a root")
    .addOption(keyTypeOption())
    .optionsGroup("An existing cluster instead:")
    .option("--conf <file>", "its ceph.conf (default: /etc/ceph/ceph.conf)")
    .option("--user <name>", "user without the client. prefix (default: libvirt)")
    .option("--pool <name>", "pool for the image (default: libvirt-pool)")
    .option("--namespace <name>", "namespace in the pool")
    .option("--image <name>", "use this image, with --yes-overwrite (default: create and remove siphon-*)")
    .option("--yes-overwrite", "allow the data of --image to be overwritten")
    .addHelpText(
      "after",
      `\nRungs: ${names("cumulative").join(", ")}` +
        `\nFurther rungs, measured only when named: ${furtherRungsOf("cumulative")
          .map(({ name }) => name)
          .join(", ")}` +
        `\nRungs in published mode: ${names("published").join(", ")}` +
        "\n\nThe exit code is 0 when every planned rung was measured, 1 when one failed, 130 after Ctrl-C.",
    )
    .action(climb);
}

async function climb(flags: Flags): Promise<void> {
  const plan = flags.plan === undefined ? {} : await readPlan(flags.plan);
  const called = merge(plan, fromFlags(flags));
  const options = parseLadderOptions(flags.quick ? merge(quickOptions(called.mode), called) : called);
  if (flags.list) return sayRungs(await listRungs(options), flags.json);
  if (flags.power) return sayPower(flags.out, options.until);
  const step = terminalSteps();
  const hooks = { out: flags.out, step, signal: interruption.signal };
  const outcome = await withLive(
    flags.live,
    "siphon ladder",
    (live) => runLadder(options, { ...hooks, live }),
    (each) => each,
  );
  if (flags.json) process.stdout.write(`${JSON.stringify(outcome.results, null, 2)}\n`);
  else
    process.stdout.write(`\n${ladderTable(outcome.results)}\n\nReport: ${outcome.directory}/report.html\n`);
  if (outcome.failure) throw outcome.failure;
}

function sayRungs(rungs: readonly ListedRung[], json: boolean | undefined): void {
  process.stdout.write(json ? `${JSON.stringify(rungs, null, 2)}\n` : `${rungsInWords(rungs)}\n`);
}

async function sayPower(out: string, until: number | undefined): Promise<void> {
  const path = join(out, "latest");
  process.stdout.write(`${powerTable(path, powerOf(await readResults(path), until), until)}\n`);
}

function fromFlags(flags: Flags): LadderOptionsInput {
  const { conf, user, pool, namespace, image, yesOverwrite } = flags;
  const existing = given({ conf, user, pool, namespace, image, yesOverwrite });
  const cluster = given({
    osds: toNumber(flags.osds),
    replicas: toNumber(flags.replicas),
    store: flags.store,
    keyType: flags.keyType,
  });
  const vm = given({ cpus: toNumber(flags.cpus), memory: flags.memory });
  return given({
    rungs: listOf(flags.rungs),
    mode: flags.mode,
    ...loadFromFlags(flags),
    ...curvesFromFlags(flags),
    slice: toNumber(flags.slice),
    until: flags.until,
    time: flags.time,
    accel: flags.accel,
    librbd: flags.librbd,
    ceph: flags.ceph,
    qemu: flags.qemu,
    releases: listOf(flags.releases),
    guestImage: flags.guestImage,
    profile: flags.profile,
    bigger: flags.bigger ? undefined : false,
    existing: Object.keys(existing).length > 0 ? existing : undefined,
    cluster: Object.keys(cluster).length > 0 ? cluster : undefined,
    vm: Object.keys(vm).length > 0 ? vm : undefined,
  });
}

/** Merges inputs, including the nested groups. Later inputs take precedence. */
function merge(...inputs: LadderOptionsInput[]): LadderOptionsInput {
  const group = <K extends "vm" | "cluster" | "existing">(name: K) =>
    inputs.some((input) => input[name])
      ? Object.assign({}, ...inputs.map((input) => input[name] ?? {}))
      : undefined;
  const groups = { vm: group("vm"), cluster: group("cluster"), existing: group("existing") };
  return Object.assign({}, ...inputs, given(groups));
}
