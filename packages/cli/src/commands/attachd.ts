import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AttachError,
  AttachService,
  ControlServer,
  endedInTime,
  endOnSurprise,
  KeptSockets,
  type Log,
  logTo,
  MetricsServer,
  parseListenAddress,
  ServiceManager,
  serviceWorkers,
} from "@siphon/attach";
import { Command } from "commander";
import { type ConnectFlags, clusterOptions } from "../cluster-options.ts";
import { withConnectFlags } from "../connect.ts";
import { explain } from "../failure.ts";
import { interruption } from "../interruption.ts";
import {
  checkServingFlags,
  type ServingFlags,
  type SocketFlags,
  withServingFlags,
  withSocketFlags,
} from "./attach/flags.ts";
import { usualRunDirectory } from "./attach/places.ts";

interface Flags extends ConnectFlags, SocketFlags, ServingFlags {
  disksDir: string;
  runtimeDir: string;
  control?: string;
}

export function attachdCommand(): Command {
  const command = new Command("attachd")
    .summary("run the service that serves disks to VMs; disks are added and removed while it runs")
    .description(
      "Serve disks to VMs until interrupted: the disks that have files in --disks-dir, and those added with siphon attach add. " +
        "Control it with siphon attach add, rm, limit, drain and reload. SIGHUP reads the files again. Socket options are defaults for the disks.",
    )
    .option(
      "--disks-dir <dir>",
      "directory with a file for each persistent disk: NAME.conf",
      "/etc/siphon/disks.d",
    )
    .option(
      "--runtime-dir <dir>",
      "directory for sockets, and for files of disks that do not persist",
      usualRunDirectory,
    )
    .option("--control <socket>", "control socket of the service (default: attachd.sock in --runtime-dir)")
    .addHelpText("after", example)
    .action(attachd);
  return withConnectFlags(withServingFlags(withSocketFlags(command)));
}

const example = `
Example of a disk's file, /etc/siphon/disks.d/vm1.conf:
  image = libvirt-pool/vm1
  vhost = /run/siphon/vm1.sock
  limit = iops=1000,bps=100M`;

async function attachd(flags: Flags): Promise<void> {
  checkServingFlags(flags);
  const { shards, shardTimeout: hangAfter, maxInFlight, runtimeDir, log: logFormat } = flags;
  if (!(Number.isInteger(shards) && shards >= 1 && shards <= mostShards)) {
    throw new AttachError("SIPHON_USAGE", `--shards takes a number from 1 to ${mostShards}`);
  }
  const log = logTo(process.stderr, logFormat);
  endOnSurprise();
  using manager = new ServiceManager(process.env, log);
  const sockets = manager.isThere ? new KeptSockets(manager, process.env, log) : undefined;
  const { socketUser: user, socketGroup: group, socketMode: mode } = flags;
  const drainTimeout = flags.drainTimeout * 1000;
  const work = {
    ...{ cluster: await clusterOptions(flags), shards, hangAfter, drainTimeout, log, logFormat },
    signal: interruption.signal,
    ...(maxInFlight !== undefined && { maxInFlight }),
    ...(sockets && { keeper: sockets }),
  };
  const options = {
    keptDirectory: flags.disksDir,
    runtimeDirectory: join(runtimeDir, "disks.d"),
    defaults: { socketDirectory: runtimeDir, access: { user, group, mode } },
    ...{ drainTimeout, log },
  };
  // Other users may enter the directory: each socket has its own owner and mode.
  await mkdir(runtimeDir, { recursive: true, mode: 0o755 });
  const service = await AttachService.start(options, (lost) => serviceWorkers(work, lost));
  try {
    await endedInTime(serve(service, manager, sockets, flags, log), interruption.signal, drainTimeout);
  } catch (error) {
    if (!(error instanceof AttachError) || error.code !== "SIPHON_ATTACH_DRAIN") throw error;
    // An interruption is the normal end of this command, not a failure.
    process.stderr.write(`${explain(error)}\n`);
    // Remaining connections do not end by themselves.
    process.exit(1);
  }
}

const mostShards = 1024;

async function serve(
  service: AttachService,
  manager: ServiceManager,
  sockets: KeptSockets | undefined,
  flags: Flags,
  log: Log,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  stack.defer(() => service.stop());
  stack.defer(() => sockets?.leaveAll());
  const control = flags.control ?? join(flags.runtimeDir, "attachd.sock");
  stack.use(await ControlServer.listen(control, service, log, sockets));
  // Worker processes listen on their disks' sockets themselves.
  if (flags.shards > 1) sockets?.dropRest();
  if (flags.metrics !== undefined) {
    stack.use(await MetricsServer.listen(parseListenAddress(flags.metrics), service, log));
  }
  const tell = async (...states: string[]) => {
    const disks = await service.list();
    const served = disks.filter(({ points }) => points.length > 0).length;
    const what = `serves ${served} of ${disks.length === 1 ? "1 disk" : `${disks.length} disks`}`;
    manager.tell(...states, `STATUS=${what}`);
    log(what);
  };
  const reload = async () => {
    // Microseconds of CLOCK_MONOTONIC, which the service manager compares with its own.
    manager.tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    await service
      .reload()
      .catch((error: Error) => log(`the files of the disks cannot be read: ${error.message}`));
    await tell("READY=1");
  };
  interruption.leave("SIGHUP");
  const onHangUp = () => void reload();
  process.on("SIGHUP", onHangUp);
  stack.defer(() => void process.off("SIGHUP", onHangUp));
  // An unreachable cluster must not delay booting: its disks are served once it is reachable.
  const { signal } = interruption;
  const tried = service.reload().then(() => sockets?.dropRest());
  await Promise.race([tried, sleep(longestStart, undefined, { signal }).catch(() => {})]);
  if (!signal.aborted) await tell("READY=1");
  await interruption.happened();
  manager.tell("STOPPING=1");
}

/** Milliseconds. */
const longestStart = 30_000;
