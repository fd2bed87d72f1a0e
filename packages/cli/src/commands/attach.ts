import { setTimeout as sleep } from "node:timers/promises";
import {
  AttachError,
  type Attachment,
  type AttachRequest,
  attachImages,
  attachShards,
  endedInTime,
  endOnSurprise,
  type Log,
  logTo,
  MetricsServer,
  parseImageSpec,
  parseListenAddress,
  RateWatch,
  socketAccess,
  thisVmHost,
} from "@siphon/attach";
import { Command } from "commander";
import { type ConnectFlags, clusterOptions } from "../cluster-options.ts";
import { connectCluster, withConnectFlags } from "../connect.ts";
import { explain } from "../failure.ts";
import { interruption } from "../interruption.ts";
import { convertCommand } from "./attach/convert.ts";
import {
  checkServingFlags,
  collect,
  type DiskFlags,
  type ServingFlags,
  type SocketFlags,
  withDiskFlags,
  withServingFlags,
  withSocketFlags,
} from "./attach/flags.ts";
import { hookCommand } from "./attach/hook.ts";
import { instructions, pointsOf } from "./attach/points.ts";
import { serviceCommands } from "./attach/service-commands.ts";
import { bytesText, columns } from "./rados/format.ts";
import { type EncryptionFlags, encryptionLayers, withEncryptionFlags } from "./rbd/encryption-flags.ts";

interface Flags extends ConnectFlags, EncryptionFlags, DiskFlags, SocketFlags, ServingFlags {
  nbd?: string[];
  vhost?: string[];
  top?: boolean;
  json?: boolean;
}

export function attachCommand(): Command {
  const command = new Command("attach")
    .summary("serve RBD images to VMs over vhost-user-blk or NBD")
    .description(
      "Serve RBD images to VMs through siphon's own client, until interrupted. Then finish requests in flight, " +
        "make all writes durable, and release the images' locks. The commands below control the service, siphon attachd.",
    )
    .argument("<image...>", "POOL/IMAGE, or POOL/IMAGE@SNAPSHOT for a snapshot")
    .option(
      "--nbd <address>",
      "serve images over NBD, on a unix socket or on HOST:PORT; once for all images, or once for each",
      collect,
    )
    .option("--vhost <socket>", "serve an image over vhost-user-blk; once for each image", collect)
    .option("--top", "show each image's I/O once a second")
    .option("--json", "print sockets and arguments for QEMU as JSON")
    .addHelpText("after", examples)
    .action(attach);
  withConnectFlags(withEncryptionFlags(withServingFlags(withSocketFlags(withDiskFlags(command)))));
  // Options after a subcommand belong to it, even if an image takes an option of the same name.
  command.enablePositionalOptions();
  for (const each of [...serviceCommands(), convertCommand(), hookCommand()]) command.addCommand(each);
  return command;
}

const examples = `
Examples:
  siphon attach libvirt-pool/vm1 --nbd /run/vm1.sock --metrics 127.0.0.1:9283
  siphon attach libvirt-pool/vm1 --vhost /run/vm1.sock --socket-user libvirt-qemu
  siphon attach libvirt-pool/vm1 --vhost /run/vm1.sock --workers 4
  siphon attach add libvirt-pool/vm1 --persist`;

async function attach(images: string[], flags: Flags): Promise<void> {
  checkServingFlags(flags);
  const request = await requestOf(images, flags);
  const drainTimeout = flags.drainTimeout * 1000;
  const log = logTo(process.stderr, flags.log);
  endOnSurprise();
  try {
    if (flags.shards === 1) {
      await endedInTime(serveHere(request, flags, log), interruption.signal, drainTimeout);
    } else {
      const cluster = await clusterOptions(flags);
      const { shards, shardTimeout: hangAfter, log: logFormat } = flags;
      const { signal } = interruption;
      const asked = { cluster, request, shards, drainTimeout, hangAfter, logFormat };
      await using attachment = await attachShards({ ...asked, log, signal });
      await present(attachment, flags, log);
    }
  } catch (error) {
    if (!(error instanceof AttachError) || error.code !== "SIPHON_ATTACH_DRAIN") throw error;
    // An interruption is the normal end of this command, not a failure.
    process.stderr.write(`${explain(error)}\n`);
    // Everything else does not end by itself.
    process.exit(1);
  }
}

async function requestOf(images: string[], flags: Flags): Promise<AttachRequest> {
  const {
    nbd,
    vhost,
    readOnly,
    migratable,
    queues,
    workers,
    cache = "none",
    limit,
    tlsCerts,
    maxInFlight,
  } = flags;
  const { socketUser: user, socketGroup: group, socketMode: mode } = flags;
  const encryption = encryptionLayers(flags);
  const isGiven = user !== undefined || group !== undefined || mode !== undefined;
  return {
    images: images.map(parseImageSpec),
    ...(nbd && { nbd: nbd.map(parseListenAddress) }),
    ...(vhost && { vhost }),
    ...(readOnly && { readOnly }),
    ...(migratable && { migratable }),
    ...(encryption && { encryption }),
    ...(limit && { limits: limit }),
    ...(flags.onError === "pause" && { onError: flags.onError }),
    ...(isGiven && { access: await socketAccess({ user, group, mode }) }),
    ...(queues !== undefined && { queues }),
    ...(workers !== undefined && { workers }),
    ...(maxInFlight !== undefined && { maxInFlight }),
    ...(cache !== "none" && { cache }),
    ...(tlsCerts !== undefined && { tlsCertificates: tlsCerts }),
  };
}

async function serveHere(request: AttachRequest, flags: Flags, log: Log): Promise<void> {
  await using cluster = await connectCluster(flags);
  await using attachment = await attachImages({ cluster, log, ...request });
  await present(attachment, flags, log);
}

/** Prints the images' addresses and their events until interrupted. */
async function present(attachment: Attachment, flags: Flags, log: Log): Promise<void> {
  const { metrics, json, top } = flags;
  await using _ =
    metrics === undefined
      ? undefined
      : await MetricsServer.listen(parseListenAddress(metrics), attachment, log);
  const host = await thisVmHost();
  process.stdout.write(
    json ? `${JSON.stringify(pointsOf(attachment.points, host))}\n` : instructions(attachment.points, host),
  );
  if (top) await showTop(attachment);
  else await interruption.happened();
}

async function showTop(attachment: Attachment): Promise<void> {
  const watches = new Map<string, RateWatch>();
  const clear = process.stdout.isTTY ? "\x1b[H\x1b[2J" : "";
  const head = ["image", "read/s", "", "write/s", "", "p50", "p99", "in flight", "errors", "state"];
  while (!interruption.signal.aborted) {
    const { disks } = await attachment.measure();
    const rows = disks.map(({ name, metrics }) => {
      const watch = watches.get(name) ?? new RateWatch();
      watches.set(name, watch);
      const rates = watch.next(metrics);
      return [
        name,
        Math.round(rates.readIops),
        `${bytesText(Math.round(rates.readBandwidth))}/s`,
        Math.round(rates.writeIops),
        `${bytesText(Math.round(rates.writeBandwidth))}/s`,
        `${(rates.p50 * 1000).toFixed(2)} ms`,
        `${(rates.p99 * 1000).toFixed(2)} ms`,
        rates.inFlight,
        rates.errors,
        metrics.state === "serving" && metrics.hold() !== undefined ? "held" : metrics.state,
      ];
    });
    process.stdout.write(`${clear}${columns([head, ...rows])}`);
    await sleep(1000, undefined, { signal: interruption.signal }).catch(() => {});
  }
}
