import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import {
  imageFile,
  LabError,
  type LadderMode,
  listVms,
  planVm,
  platformNamed,
  renderCommand,
  rungsOf,
  startPlanned,
  stopVm,
  Vm,
  type VmRequest,
  vmCommand as vmCommandLine,
} from "@siphon/lab";
import { longestTimer } from "@siphon/wire";
import Table from "cli-table3";
import { Command, Option } from "commander";
import { type ClusterFlags, clientFor, withClusterFlags } from "../cluster-flags.ts";
import { interruption } from "../interruption.ts";
import { numberOption, withStateDir } from "../options.ts";
import { terminalSteps } from "../progress.ts";
import { openShell } from "../shell.ts";
import { sizeOption } from "../size-option.ts";

export function vmCommand(): Command {
  return new Command("vm")
    .description("Run VMs manually, with the settings of any rung of the ladder and any image.")
    .addCommand(runCommand())
    .addCommand(withStateDir(sshCommand()))
    .addCommand(withStateDir(stopCommand()))
    .addCommand(withStateDir(listCommand()));
}

interface RunFlags extends ClusterFlags {
  rung: string;
  mode: LadderMode;
  name?: string;
  image?: string;
  file?: string;
  null?: number;
  guestImage?: string;
  librbd?: string;
  qemu?: string;
  accel: VmRequest["accel"];
  cpus: number;
  memory: number;
  detach?: boolean;
  print?: boolean;
  json?: boolean;
  dir?: string;
}

function runCommand(): Command {
  const rungs = rungsOf("cumulative").map(({ name }) => name);
  return withClusterFlags(
    withStateDir(new Command("run"))
      .summary("boot a VM with the settings of a rung, and open a shell in it")
      .description(
        "Boot a VM with a rung's settings. With a COMMAND, run it in the guest and stop the VM; without, " +
          "open a shell, and stop the VM when the shell ends; with --detach, leave the VM running.",
      )
      .argument("[command...]", "a shell command for the guest; write -- before it when it has options")
      .option("--rung <name>", "rung with the settings to use", "cache-none")
      .addOption(
        new Option("--mode <mode>", "ladder that the rung belongs to")
          .choices(["cumulative", "published"])
          .default("cumulative"),
      )
      .option("--name <name>", "name of the VM (default: a new name)")
      .addOption(
        new Option("--accel <kind>", "how QEMU runs the guest")
          .choices(["auto", "kvm", "tcg"])
          .default("auto"),
      )
      .addOption(numberOption("--cpus <n>", "vCPUs").default(2))
      .addOption(sizeOption("--memory <size>", "memory").default(512 * 2 ** 20, "512M"))
      .option(
        "--qemu <root>",
        "QEMU of a root (siphon root list), or of a directory with a slash in its name",
      )
      .option("--librbd <dir>", "directory of another librbd build, for the rung new-librbd")
      .option("--detach", "leave the VM running; see: siphon vm list")
      .option("--print", "only print the command line, quoted for a shell")
      .option("--json", "with --detach: print what was started as JSON")
      .optionsGroup("The disk (one of these):")
      .option("--image <name>", "an RBD image")
      .option("--file <path>", "a raw or qcow2 file; the guest writes to it")
      .addOption(sizeOption("--null <size>", "nothing: reads zeros, forgets writes"))
      .option(
        "--guest-image <file>",
        "boot from the disk, which was made from this file, and log in over ssh",
      ),
  )
    .addHelpText(
      "after",
      `\nRungs: ${rungs.join(", ")}\n\nExample: siphon vm run --image vm1 --rung iothread -- fio --version`,
    )
    .action(runVm);
}

async function runVm(words: string[], flags: RunFlags): Promise<void> {
  const { signal } = interruption;
  const step = terminalSteps({ quiet: flags.json });
  const options = await step("Prepare the guest", async () =>
    planVm({ ...(await requestOf(flags)), signal }),
  );
  if (options.settings.server !== undefined && (flags.print || flags.detach)) {
    throw new LabError(
      "SIPHON_USAGE",
      `a VM of the rung ${flags.rung} needs the process that serves its disk`,
      {
        hint: "omit --print and --detach; or serve the image with: siphon attach",
      },
    );
  }
  if (flags.print) {
    process.stdout.write(`${renderCommand(await vmCommandLine(options))}\n`);
    return;
  }
  await using vm = await step(`Start the VM ${options.name} (${options.accelerator})`, () =>
    startPlanned(options),
  );
  if (flags.detach) {
    await vm.keep();
    describeStarted(vm, flags);
  } else {
    await useVm(vm, words);
  }
}

async function requestOf(flags: RunFlags): Promise<VmRequest> {
  const { rung, mode, name, guestImage, librbd, qemu, accel, cpus, memory } = flags;
  const memoryMiB = Math.ceil(memory / 2 ** 20);
  const common = { rung, mode, name, guestImage, librbdDir: librbd, accel, cpus, memoryMiB };
  return { ...common, qemu: await platformNamed(qemu, "qemu"), disk: await diskOf(flags) };
}

async function diskOf(flags: RunFlags): Promise<VmRequest["disk"]> {
  const { image, file, null: size } = flags;
  if ([image, file, size].filter((each) => each !== undefined).length !== 1) {
    throw new LabError("SIPHON_USAGE", "a VM needs one disk", { hint: "give --image, --file or --null" });
  }
  if (image !== undefined) return { client: await clientFor(flags, image), image };
  if (size !== undefined) return { type: "null", size };
  // QEMU runs in a directory of its own, so the path must be absolute.
  const path = resolve(file!);
  return { type: "file", path, format: (await imageFile(path)).format === "qcow2" ? "qcow2" : "raw" };
}

/** Runs the command, or else opens a shell. Without a terminal, waits until siphon is interrupted or the VM fails. */
async function useVm(vm: Vm, words: string[]): Promise<void> {
  const { signal } = interruption;
  if (words.length > 0) return runInGuest(vm, words.join(" "));
  if (process.stdin.isTTY) return openShell(vm.shell, signal);
  process.stderr.write(`${vm.name} runs; end it with Ctrl-C\n`);
  const ended = AbortSignal.any([signal, vm.failed]);
  await new Promise((done) => ended.addEventListener("abort", done, { once: true }));
  signal.throwIfAborted();
  throw vm.failed.reason;
}

async function runInGuest(vm: Vm, command: string): Promise<void> {
  const { signal } = interruption;
  const said = await vm.run(command, { signal, timeoutMs: longestTimer });
  process.stdout.write(said.stdout);
  process.stderr.write(said.stderr);
  process.exitCode = said.exitCode;
}

function describeStarted({ name, pid, device }: Vm, { json, dir }: RunFlags): void {
  if (json) {
    printJson({ name, pid, device });
    return;
  }
  const where = dir === undefined ? "" : ` --dir ${dir}`;
  process.stdout.write(
    `${name} runs (pid ${pid}); its disk is ${device}\n` +
      `a shell in it:  siphon vm ssh ${name}${where}\nend it with:    siphon vm stop ${name}${where}\n`,
  );
}

function sshCommand(): Command {
  return new Command("ssh")
    .summary("open a shell in a VM, or run a command in it")
    .description(
      "Open a shell in a VM that was left running, or run a command in it. The connection to a guest image is ssh, that to the " +
        "small guest a serial port. Without a terminal, commands are read from standard input.",
    )
    .argument("<name>", "the VM")
    .argument("[command...]", "a shell command; write -- before it when it has options")
    .action(async (name: string, words: string[]) => {
      await using vm = await Vm.find(name, interruption.signal);
      if (words.length > 0) await runInGuest(vm, words.join(" "));
      else if (process.stdin.isTTY) await openShell(vm.shell, interruption.signal);
      else await runInGuest(vm, await text(process.stdin));
    });
}

function stopCommand(): Command {
  return new Command("stop")
    .summary("stop VMs and remove their files")
    .description("Stop VMs and remove their files. The disk is flushed; the guest does not shut down.")
    .argument("<name...>", "the VMs")
    .action(async (names: string[]) => {
      for (const name of names) {
        await stopVm(name);
        process.stdout.write(`ended ${name}\n`);
      }
    });
}

function listCommand(): Command {
  return new Command("list")
    .summary("list the VMs on this machine")
    .description("List all VMs of this state directory, running or not.")
    .option("--json", "print them as JSON, with the command line of each")
    .action(async ({ json }: { json?: boolean }) => {
      const vms = await listVms();
      if (json) return printJson(vms.map(({ details, ...rest }) => ({ ...rest, ...details })));
      if (vms.length === 0) {
        process.stdout.write("no VMs; start one with: siphon vm run --detach\n");
        return;
      }
      const head = ["name", "", "pid", "since", "guest", "runs on"];
      const table = new Table({ head, style: { head: [], border: [] } });
      for (const { name, state, pid, created, details } of vms) {
        table.push([name, state, pid ?? "", created.toISOString(), details.guest.kind, details.accelerator]);
      }
      process.stdout.write(`${table}\n`);
    });
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
