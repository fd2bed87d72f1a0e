import { type DensityOptionsInput, parseDensityOptions, quickDensity, runDensity } from "@siphon/lab";
import { Command, Option } from "commander";
import { densityTable } from "../density-table.ts";
import { interruption } from "../interruption.ts";
import { given, listOf, toNumber } from "../options.ts";
import { terminalSteps } from "../progress.ts";

/** The flags from commander; those not given are missing. */
interface Flags {
  vms?: string;
  ways?: string;
  quick?: boolean;
  repeat?: string;
  seconds?: string;
  bs?: string;
  iodepth?: string;
  rw?: DensityOptionsInput["rw"];
  size?: string;
  seed?: string;
  accel?: DensityOptionsInput["accel"];
  cpus?: string;
  memory?: string;
  out: string;
  json?: boolean;
}

export function densityCommand(): Command {
  return new Command("density")
    .description(
      "Put increasing numbers of VMs on this host under the same load, each with its own image in a local cluster. The images are attached by " +
        "librbd, by one siphon process per VM, and by one siphon process for all. Report IOPS, latency, CPU per I/O and memory per VM, with " +
        "95 % intervals.",
    )
    .option("--vms <list>", "numbers of VMs under load together (default: 1,2,4)")
    .option("--ways <names>", "librbd, siphon-each, siphon-one (default: all)")
    .option("--quick", "one and two VMs, two blocks of 1 s: a first look")
    .option("--repeat <n>", "number of blocks; all VMs boot again in each (default: 3)")
    .option("--seconds <s>", "seconds of measurement of each number of VMs in a block (default: 2)")
    .option("--bs <size>", "block size (default: 16k)")
    .option("--iodepth <n>", "requests in flight of each VM (default: 16)")
    .addOption(
      new Option("--rw <kind>", "kind of load (default: randread)").choices([
        ...["randread", "randwrite", "read", "write", "randrw", "rw"],
      ]),
    )
    .option("--size <size>", "bytes of each VM's image (default: 128M)")
    .option("--seed <n>", "seed of the random choices, to repeat a run exactly")
    .addOption(
      new Option("--accel <kind>", "how QEMU runs the guests (default: auto)").choices([
        "auto",
        "kvm",
        "tcg",
      ]),
    )
    .option("--cpus <n>", "vCPUs of each VM (default: 1)")
    .option("--memory <size>", "memory of each VM (default: 384M)")
    .option("--out <dir>", "directory for runs", "runs/density")
    .option("--json", "print the results as JSON; progress goes to standard error")
    .addHelpText(
      "after",
      "\nThe exit code is 0 when everything was measured, 1 when something failed, 130 after Ctrl-C.",
    )
    .action(measure);
}

async function measure(flags: Flags): Promise<void> {
  const options = parseDensityOptions({ ...(flags.quick ? quickDensity : {}), ...fromFlags(flags) });
  const { results, directory, failure } = await runDensity(options, {
    out: flags.out,
    step: terminalSteps(),
    signal: interruption.signal,
  });
  if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(`\n${densityTable(results)}\n\nReport: ${directory}/report.html\n`);
  if (failure) throw failure;
}

function fromFlags({ vms, ways, bs, rw, size, accel, ...flags }: Flags): DensityOptionsInput {
  const vm = given({ cpus: toNumber(flags.cpus), memory: flags.memory });
  return given({
    vms: listOf(vms)?.map(Number),
    // The names of the ways are checked with all other options.
    ways: listOf(ways) as DensityOptionsInput["ways"],
    repeat: toNumber(flags.repeat),
    seconds: toNumber(flags.seconds),
    iodepth: toNumber(flags.iodepth),
    seed: toNumber(flags.seed),
    ...{ bs, rw, size, accel },
    vm: Object.keys(vm).length > 0 ? vm : undefined,
  });
}
