import { type FileHandle, open, readFile } from "node:fs/promises";
import {
  type AddressedCommand,
  type Cluster,
  CommandError,
  parseCephFlags,
  parseCommandLine,
} from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import type { ConnectFlags } from "../cluster-options.ts";
import { connectCluster } from "../connect.ts";
import { errnoText } from "../errno-text.ts";
import { interruption } from "../interruption.ts";
import { askDaemon, ping } from "./ceph/one-daemon.ts";

export function cephCommand(): Command {
  return new Command("ceph")
    .summary("run any command of the ceph program")
    .description(
      "Run any command of the ceph program for monitors, managers and OSDs, with the same arguments and the same " +
        "output. Ceph itself need not be installed.",
    )
    .usage("[options] <command words...>")
    .argument("[words...]", "the command, with its own options")
    .allowUnknownOption()
    .helpOption("-h, --help", "display help for command")
    .addHelpText("after", help)
    .action((_words, _flags, command: Command) => ceph(command.args));
}

const help = `
Options, before or after the command:
  -c, --conf <file>        ceph.conf (default: CEPH_CONF, /etc/ceph/ceph.conf, the cluster called default)
  --cluster <name>         a cluster of siphon cluster up, or /etc/ceph/<name>.conf
  -n, --name <type.id>     user (default: client.admin); --id <id> without the type
  -m, --mon-host <addrs>   monitors, instead of those in ceph.conf
  -k, --keyring <file>     keyring, instead of the one in ceph.conf
  -f, --format <format>    json, json-pretty, plain, xml, ... as the command knows them
  -i, --in-file <file>     input of the command (- for standard input)
  -o, --out-file <file>    file for its output
  -s, --status             the same as the command status
  --connect-timeout <s>    seconds to find the cluster in (default: client_mount_timeout, or 30)

Of daemons on this machine, over their admin sockets:
  daemon <type.id|path> <words...>, --admin-daemon <path> <words...>

Examples: siphon ceph osd pool create images 32
          siphon ceph tell osd.* version --format json`;

interface OwnFlags {
  adminSocket?: string;
  format?: string;
  inFile?: string;
  outFile?: string;
}

async function ceph(args: readonly string[]): Promise<void> {
  const { own, rest } = takeOwnFlags(args);
  const { conf, cluster: clusterName, name, settings, rest: given } = parseCephFlags(rest);
  // `--` may stand before the daemons' options that injectargs takes.
  const words = given.includes("injectargs") ? given.filter((word) => word !== "--") : given;
  const [first, ...further] = words;
  if (first === undefined)
    throw new SiphonError("SIPHON_USAGE", "ceph takes a command; for example: siphon ceph status");
  const flags: ConnectFlags = {
    ...{ ...(conf && { conf }), ...(clusterName && { cluster: clusterName }), ...(name && { name }) },
    ...Object.fromEntries([...settings].map(([setting, value]) => [camelCase(setting), value])),
  };
  if (own.adminSocket !== undefined) return askDaemon(own.adminSocket, words, own.format, flags);
  if (first === "daemon") return askDaemon(further[0], further.slice(1), own.format, flags);
  await using cluster = await connectCluster(flags);
  if (first === "ping") return await ping(cluster, further[0]);
  const commands = await parseCommandLine(cluster, words, interruption.signal);
  const { outFile } = own;
  // If the file cannot be written, fail before anything is done.
  await using file = outFile === undefined || outFile === "-" ? undefined : await outputFile(outFile);
  for (const command of commands) await carryOut(cluster, command, own, commands.length > 1, file);
}

async function carryOut(
  cluster: Cluster,
  { command, target }: AddressedCommand,
  { format, inFile }: OwnFlags,
  oneOfMany: boolean,
  file: FileHandle | undefined,
): Promise<void> {
  const input = inFile === undefined ? undefined : await inputOf(inFile);
  const { output, status } = await cluster
    .run(
      { ...command, ...(format !== undefined && { format }) },
      { target, signal: interruption.signal, ...(input && { input }) },
    )
    .catch((error) => {
      if (error instanceof CommandError) process.stdout.write(error.output);
      throw error;
    });
  if (status !== "") process.stderr.write(`${status}\n`);
  if (file !== undefined) {
    await file.writeFile(output);
    return;
  }
  if (oneOfMany && typeof target === "object") {
    const [[kind, id]] = Object.entries(target) as [[string, string | number]];
    process.stdout.write(`${kind}.${id}: `);
  }
  process.stdout.write(output);
  if (oneOfMany && output.length > 0 && output.at(-1) !== newline) process.stdout.write("\n");
}

function inputOf(path: string): Promise<Buffer> {
  return readFile(path === "-" ? "/dev/stdin" : path).catch((error) => {
    throw unusable("input", path, error);
  });
}

function outputFile(path: string): Promise<FileHandle> {
  return open(path, "w").catch((error) => {
    throw unusable("output", path, error);
  });
}

/** An error for which `ceph` exits with 1. */
function unusable(which: "input" | "output", path: string, cause: NodeJS.ErrnoException): SiphonError {
  const why = errnoText(-cause.errno!);
  return new SiphonError("SIPHON_BAD_OPTION", `cannot open ${which} file ${path}: ${why}`, { cause });
}

const newline = 10;
const ownFlags = new Map<string, keyof OwnFlags>([
  ["-f", "format"],
  ["--format", "format"],
  ["-i", "inFile"],
  ["--in-file", "inFile"],
  ["-o", "outFile"],
  ["--out-file", "outFile"],
  ["--admin-daemon", "adminSocket"],
]);
/** How verbose ceph is about unknown commands and about itself. */
const ofNoUse = new Set(["--verbose", "--concise"]);

/** Extracts the flags that only the ceph program has; `-i` means something else in Ceph's other programs. */
function takeOwnFlags(args: readonly string[]): { own: OwnFlags; rest: string[] } {
  const own: OwnFlags = {};
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
    const flag = ownFlags.get(equals < 0 ? arg : arg.slice(0, equals));
    if (ofNoUse.has(arg)) continue;
    if (arg === "-s" || arg === "--status") rest.push("status");
    else if (flag === undefined) rest.push(arg);
    else {
      const value = equals < 0 ? args[++i] : arg.slice(equals + 1);
      if (value === undefined) throw new SiphonError("SIPHON_USAGE", `${arg} needs a value`);
      own[flag] = value;
    }
  }
  return { own, rest };
}

function camelCase(setting: string): string {
  return setting.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
