import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { buildRoot, Root, type RootContents, releaseOf, removeRoot } from "@siphon/lab";
import Table from "cli-table3";
import { Command, Option } from "commander";
import { interruption } from "../interruption.ts";
import { terminalSteps } from "../progress.ts";

export function rootCommand(): Command {
  return new Command("root")
    .description(
      "Roots are directories with another release of Ceph and QEMU. With --ceph NAME the lab uses the daemons and fio " +
        "of a root, with --qemu NAME its QEMU. Programs of a root see the root's /usr and /etc, and this machine's " +
        "other directories; nothing is installed and nothing stays mounted.",
    )
    .addCommand(buildCommand())
    .addCommand(listCommand())
    .addCommand(removeCommand())
    .addCommand(runCommand());
}

interface BuildFlags {
  mirror?: string;
  with?: "libvirt";
  force?: boolean;
  json?: boolean;
}

function buildCommand(): Command {
  return new Command("build")
    .summary("build a root from a Debian suite, or from a container image")
    .description(
      "Build a root: a release of Ceph (pacific, reef, tentacle, ...), a Debian suite (bookworm, trixie, sid), or a " +
        "container image (quay.io/ceph/ceph:v19). mmdebstrap builds Debian roots from this machine's mirror, " +
        "with QEMU; podman or docker unpacks images, which have Ceph only. A root takes about 1.2 GB.",
    )
    .argument("<source>", "a suite, a release of Ceph, or an image")
    .argument("[dir]", "directory to build it in (default: in siphon's cache, under its name)")
    .option("--mirror <url>", "Debian archive to take packages from (default: what this machine uses)")
    .addOption(new Option("--with <what>", "additional packages").choices(["libvirt"]))
    .option("--force", "build it again even if it exists")
    .option("--json", "print what is in it as JSON")
    .addHelpText("after", "\nExample: siphon root build reef && siphon cluster up --ceph reef")
    .action(async (source: string, directory: string | undefined, flags: BuildFlags) => {
      const { mirror, force, json } = flags;
      const { signal } = interruption;
      const root = await terminalSteps({ quiet: json })(`Build the root ${source}`, (onProgress) =>
        buildRoot({
          source,
          directory,
          mirror,
          withLibvirt: flags.with === "libvirt",
          force,
          signal,
          onProgress,
        }),
      );
      const described = await describe(root);
      if (json) printJson(described);
      else process.stdout.write(`${root.directory}\n${words(described)}\n`);
    });
}

function listCommand(): Command {
  return new Command("list")
    .summary("list the roots in the cache, and their versions")
    .description("List the roots in siphon's cache, with the versions of their programs.")
    .option("--json", "print them as JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const roots = await Promise.all((await Root.list()).map(describe));
      if (json) return printJson(roots);
      if (roots.length === 0) {
        process.stdout.write("no roots; make one with: siphon root build reef\n");
        return;
      }
      const head = ["name", "release", "Ceph", "QEMU", "librbd", "libvirt", "glibc", "made", "directory"];
      const table = new Table({ head, style: { head: [], border: [] } });
      for (const root of roots) {
        const { name, release, ceph, qemu, librbd, libvirt, glibc, built, directory } = root;
        const made = built?.slice(0, 10);
        const row = [name, release, ceph, qemu, librbd, libvirt, glibc, made, directory];
        table.push(row.map((cell) => cell ?? ""));
      }
      process.stdout.write(`${table}\n`);
    });
}

function removeCommand(): Command {
  return new Command("remove")
    .summary("remove roots from the cache")
    .description(
      "Remove roots from siphon's cache. Running programs of a root keep only the files that they have opened.",
    )
    .argument("<name...>", "the roots to remove")
    .option("--json", "print what was removed as JSON")
    .action(async (names: string[], { json }: { json?: boolean }) => {
      const removed: { name: string; directory: string }[] = [];
      for (const each of names) {
        const { name, directory } = await removeRoot(each);
        removed.push({ name, directory });
        if (!json) process.stdout.write(`removed ${directory}\n`);
      }
      if (json) printJson(removed);
    });
}

function runCommand(): Command {
  return new Command("run")
    .summary("run a program of a root")
    .description(
      "Run a program of a root, with this terminal: its pid, signals and exit code are the program's own. " +
        "Command lines that siphon prints for a root start like this.",
    )
    .argument("<root>", "name of the root, or its directory (with a slash)")
    .argument("<program...>", "the program and its arguments; write -- before it when it has options")
    .addHelpText("after", "\nExample: siphon root run reef -- rbd --version")
    .action(async (name: string, [program, ...args]: string[]) => {
      const { command, args: words, env } = (await Root.find(name)).command(program!, args);
      // The terminal sends Ctrl-C to the program as well; the program decides what to do.
      interruption.disarm();
      process.on("SIGINT", () => {});
      const child = spawn(command, words, { env: { ...process.env, ...env }, stdio: "inherit" });
      for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
      const [exitCode, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
      process.exitCode = exitCode ?? 128 + constants.signals[signal!];
    });
}

interface Described extends RootContents {
  name: string;
  directory: string;
  release: string | undefined;
}

async function describe(root: Root): Promise<Described> {
  const contents = await root.contents();
  return { name: root.name, directory: root.directory, release: releaseOf(contents.ceph), ...contents };
}

function words({ release, ceph, qemu, librbd, libvirt, glibc }: Described): string {
  const has = {
    Ceph: ceph && `${ceph}${release ? ` (${release})` : ""}`,
    QEMU: qemu,
    librbd,
    libvirt,
    glibc,
  };
  return Object.entries(has)
    .map(([name, version]) => `${name} ${version ?? "none"}`)
    .join(", ");
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
