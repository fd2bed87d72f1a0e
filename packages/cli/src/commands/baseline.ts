import {
  type BaselineOptionsInput,
  baselineEngines,
  parseBaselineOptions,
  quickBaseline,
  readBaselinePlan,
  runBaseline,
} from "@siphon/lab";
import { Command, Option } from "commander";
import { baselineTable } from "../baseline-table.ts";
import { interruption } from "../interruption.ts";
import {
  type CurveFlags,
  curvesFromFlags,
  type LoadFlags,
  loadFromFlags,
  withCurveFlags,
  withLoadFlags,
} from "../load-flags.ts";
import { given, keyTypeOption, listOf, toNumber } from "../options.ts";
import { terminalSteps } from "../progress.ts";

/** The flags from commander; those not given are missing. */
interface Flags extends LoadFlags, CurveFlags {
  quick?: boolean;
  plan?: string;
  out: string;
  json?: boolean;
  profile?: boolean;
  osds?: string;
  replicas?: string;
  store?: BaselineOptionsInput["store"];
  keyType?: BaselineOptionsInput["keyType"];
  engines?: string;
  wire?: string;
  ceph?: string;
  accel?: BaselineOptionsInput["accel"];
  conf?: string;
  user?: string;
  pool?: string;
  namespace?: string;
}

export function baselineCommand(): Command {
  const command = new Command("baseline").description(
    "Measure the cluster without a VM: fio on librbd and on kernel RBD, and siphon's own client, for several cluster sizes " +
      "and wires (messenger, authentication, encryption), interleaved, with 95 % intervals. If this host's kernel has no RBD, " +
      "kernel RBD runs in a guest.",
  );
  const measured = withLoadFlags(command, {
    repeat: "repeats of every cell, interleaved in random order (default: 5)",
    seconds: "seconds measured in each repeat (default: 2)",
  })
    .option("--engines <names>", `${baselineEngines.join(", ")}, or several (default: librbd,krbd,siphon)`)
    .option(
      "--wire <names>",
      "v1-none, v2-crc, v2-secure, or several (default: v2-crc, or the existing cluster's mode)",
    )
    .addOption(
      new Option("--accel <kind>", "how QEMU runs the guest of kernel RBD (default: auto)").choices([
        "auto",
        "kvm",
        "tcg",
      ]),
    )
    .option("--quick", "two repeats of 2 s: a first look")
    .option("--profile", "one more run of each cell, with the client's stacks sampled")
    .option("--plan <file>", "YAML file with the same options; flags take precedence")
    .option("--out <dir>", "directory for runs", "runs/baseline")
    .option("--json", "print the results as JSON; progress goes to standard error");
  return withCurveFlags(measured)
    .optionsGroup("The local clusters:")
    .option("--osds <list>", "sizes in OSDs (default: 1,3)")
    .option("--replicas <n>", "copies of each object (default: 3, at most one per OSD)")
    .addOption(
      new Option("--store <kind>", "object store of the OSDs (default: memstore)").choices([
        "bluestore",
        "memstore",
      ]),
    )
    .option("--ceph <root>", "daemons, fio and Ceph's programs of a root (siphon root list)")
    .addOption(keyTypeOption())
    .optionsGroup("An existing cluster instead:")
    .option("--conf <file>", "its ceph.conf (default: /etc/ceph/ceph.conf)")
    .option("--user <name>", "user without the client. prefix (default: libvirt)")
    .option("--pool <name>", "pool for the image, which siphon makes and removes (default: libvirt-pool)")
    .option("--namespace <name>", "namespace in the pool")
    .addHelpText(
      "after",
      "\nEngines:\n" +
        "  librbd         fio's rbd engine\n" +
        "  krbd           kernel RBD, with fio's libaio engine on its device\n" +
        "  krbd-io-uring  the same with fio's io_uring engine\n" +
        "  siphon         siphon's client as a library: the load of siphon rbd bench\n" +
        "  siphon-nbd     siphon's NBD server, with fio's nbd engine as its client\n" +
        "\nThe exit code is 0 when every cell was measured, 1 when one failed, 130 after Ctrl-C.",
    )
    .action(measure);
}

async function measure(flags: Flags): Promise<void> {
  const plan = flags.plan === undefined ? {} : await readBaselinePlan(flags.plan);
  const called = fromFlags(flags);
  const existing = plan.existing || called.existing ? { ...plan.existing, ...called.existing } : undefined;
  const quick = flags.quick ? quickBaseline : {};
  const options = parseBaselineOptions({ ...quick, ...plan, ...called, existing });
  const outcome = await runBaseline(options, {
    out: flags.out,
    step: terminalSteps(),
    signal: interruption.signal,
  });
  if (flags.json) process.stdout.write(`${JSON.stringify(outcome.results, null, 2)}\n`);
  else
    process.stdout.write(`\n${baselineTable(outcome.results)}\n\nReport: ${outcome.directory}/report.html\n`);
  if (outcome.failure) throw outcome.failure;
}

function fromFlags(flags: Flags): BaselineOptionsInput {
  const { conf, user, pool, namespace } = flags;
  const existing = given({ conf, user, pool, namespace });
  return given({
    osds: listOf(flags.osds)?.map(Number),
    replicas: toNumber(flags.replicas),
    store: flags.store,
    keyType: flags.keyType,
    // The names of engines and wires are checked with all other options.
    engines: listOf(flags.engines) as BaselineOptionsInput["engines"],
    wire: listOf(flags.wire) as BaselineOptionsInput["wire"],
    ...loadFromFlags(flags),
    ...curvesFromFlags(flags),
    ceph: flags.ceph,
    accel: flags.accel,
    profile: flags.profile,
    existing: Object.keys(existing).length > 0 ? existing : undefined,
  });
}
