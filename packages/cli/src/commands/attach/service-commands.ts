import { resolve } from "node:path";
import {
  askService,
  type ControlCommand,
  type DiskStatus,
  type DiskWords,
  formatDiskLimits,
  parseDiskLimits,
  parseListenAddress,
  thisVmHost,
  usualName,
} from "@siphon/attach";
import { Command } from "commander";
import { interruption } from "../../interruption.ts";
import { type EncryptionFlags, withEncryptionFlags } from "../rbd/encryption-flags.ts";
import { type DiskFlags, type SocketFlags, withDiskFlags, withSocketFlags } from "./flags.ts";
import { usualControlSocket } from "./places.ts";
import { instructions, pointsOf } from "./points.ts";
import { diskTable, diskText } from "./status-text.ts";

interface ControlFlags {
  control: string;
  json?: boolean;
}

interface AddFlags extends ControlFlags, DiskFlags, SocketFlags, EncryptionFlags {
  as?: string;
  nbd?: string;
  vhost?: string;
  persist?: boolean;
}

/** The commands to the service, each a line on its control socket. */
export function serviceCommands(): Command[] {
  const add = new Command("add")
    .description("Serve an image from now on: over vhost-user-blk, at a socket of its name, unless told.")
    .argument("<image>", "POOL/IMAGE, or POOL/IMAGE@SNAPSHOT to read it as it was")
    .option("--as <name>", "name of the disk in the service (default: the image with - for /)")
    .option("--nbd <address>", "over NBD, on a unix socket or on HOST:PORT")
    .option("--vhost <socket>", "over vhost-user-blk")
    .option("--persist", "also after a restart of the machine")
    .action(addDisk);
  const one = (name: string, description: string, command: (name: string) => ControlCommand) =>
    new Command(name)
      .description(description)
      .argument("<disk>", "its name")
      .action(async (disk: string, flags: ControlFlags) =>
        show(await ask<DiskStatus>(command(disk), flags), flags),
      );
  return [
    withSocketFlags(withEncryptionFlags(withDiskFlags(add))),
    new Command("rm")
      .description("Finish what is under way, let go of the image, and forget the disk and its file.")
      .argument("<disk>", "its name")
      .option("--force", "also when a client is connected")
      .action(async (name: string, flags: ControlFlags & { force?: boolean }) => {
        await ask({ command: "rm", name, force: flags.force ?? false }, flags);
        if (flags.json) process.stdout.write("null\n");
      }),
    new Command("list")
      .alias("ls")
      .description("What the service serves, and how it fares.")
      .action(async (_: unknown, command: Command) => {
        const flags = command.opts<ControlFlags>();
        list(await ask<DiskStatus[]>({ command: "list" }, flags), flags);
      }),
    new Command("show")
      .description("A disk's state, figures and limits, and how a VM reaches it.")
      .argument("<disk>", "its name")
      .action(async (name: string, flags: ControlFlags) => {
        const disk = await ask<DiskStatus>({ command: "show", name }, flags);
        const host = await thisVmHost();
        if (flags.json) print({ ...disk, points: pointsOf(disk.points, host) });
        else process.stdout.write(`${diskText(disk)}\n${instructions(disk.points, host)}`);
      }),
    new Command("limit")
      .description("Give a disk other limits, while it is served.")
      .argument("<disk>", "its name")
      .argument("[limits]", "such as iops=1000,iops-burst=2000,bps=100M (default: as rbd_qos_* has them)")
      .option("--persist", "also in the file of a disk that is kept")
      .action(
        async (name: string, limits: string | undefined, flags: ControlFlags & { persist?: boolean }) => {
          const limit = limits === undefined ? {} : { limit: formatDiskLimits(parseDiskLimits(limits)) };
          const persist = flags.persist ?? false;
          show(await ask<DiskStatus>({ command: "limit", name, ...limit, persist }, flags), flags);
        },
      ),
    one(
      "drain",
      "Finish what is under way and let go of the image; its VM waits for siphon attach resume.",
      (name) => ({
        ...{ command: "drain", name },
      }),
    ),
    one("resume", "Serve a disk again that was drained.", (name) => ({ command: "resume", name })),
    new Command("reload")
      .description("Serve what the files of the disks say now, as SIGHUP does.")
      .action(async (_: unknown, command: Command) => {
        const flags = command.opts<ControlFlags>();
        list(await ask<DiskStatus[]>({ command: "reload" }, flags), flags);
      }),
  ].map((command) =>
    command
      .option("--control <socket>", "where the service listens", usualControlSocket)
      .option("--json", "print JSON"),
  );
}

async function addDisk(image: string, flags: AddFlags): Promise<void> {
  const name = flags.as ?? usualName(image);
  const { persist = false } = flags;
  const disk = wordsOf(image, flags);
  show(await ask<DiskStatus>({ command: "add", name, disk, persist }, flags), flags);
}

/**
 * The flags in the form of a disk's file. Relative paths are resolved here: the service has another working directory.
 */
function wordsOf(image: string, flags: AddFlags): DiskWords {
  const { cache = "none", onError = "report", limit, queues, workers, nbd, vhost, tlsCerts } = flags;
  const files = flags.encryptionPassphraseFile?.map((file) => resolve(file));
  return Object.fromEntries(
    Object.entries({
      image,
      nbd: nbd === undefined || !isPath(nbd) ? nbd : resolve(nbd),
      vhost: vhost === undefined ? undefined : resolve(vhost),
      "read-only": flags.readOnly ? "yes" : undefined,
      migratable: flags.migratable ? "yes" : undefined,
      queues: queues === undefined ? undefined : String(queues),
      workers: workers === undefined ? undefined : String(workers),
      "socket-user": flags.socketUser,
      "socket-group": flags.socketGroup,
      "socket-mode": flags.socketMode,
      cache: cache === "none" ? undefined : cache,
      limit: limit && formatDiskLimits(limit),
      "on-error": onError === "report" ? undefined : onError,
      "encryption-format": flags.encryptionFormat,
      "encryption-passphrase-file": files,
      "tls-certs": tlsCerts === undefined ? undefined : resolve(tlsCerts),
    }).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined),
  );
}

function isPath(address: string): boolean {
  return "path" in parseListenAddress(address);
}

async function ask<T>(command: ControlCommand, { control }: ControlFlags): Promise<T> {
  return (await askService(control, command, interruption.signal)) as T;
}

function show(disk: DiskStatus, { json }: ControlFlags): void {
  if (json) print(disk);
  else process.stdout.write(diskTable([disk]));
}

function list(disks: DiskStatus[], { json }: ControlFlags): void {
  if (json) print(disks);
  else process.stdout.write(diskTable(disks));
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
