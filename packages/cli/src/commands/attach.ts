import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AttachError,
  type Attachment,
  type AttachPoint,
  type AttachRequest,
  attachImages,
  attachShards,
  type DiskLimits,
  type ErrorPolicy,
  endedInTime,
  endOnSurprise,
  howToConnect,
  type Log,
  type LogFormat,
  logTo,
  MetricsServer,
  parseDiskLimits,
  parseImageSpec,
  parseListenAddress,
  RateWatch,
  shellLine,
  socketAccess,
  thisVmHost,
  type VmHost,
  versionsText,
} from "@siphon/attach";
import type { CachePolicy } from "@siphon/rbd";
import { Command, Option } from "commander";
import { type ConnectFlags, clusterOptions } from "../cluster-options.ts";
import { connectCluster, withConnectFlags } from "../connect.ts";
import { explain } from "../failure.ts";
import { interruption } from "../interruption.ts";
import { numberOption, sizeOption } from "../options.ts";
import { bytesText, columns } from "./rados/format.ts";
import { type EncryptionFlags, encryptionLayers, withEncryptionFlags } from "./rbd/encryption-flags.ts";

interface Flags extends ConnectFlags, EncryptionFlags {
  nbd?: string[];
  vhost?: string[];
  readOnly?: boolean;
  shards: number;
  queues?: number;
  socketUser?: string;
  socketGroup?: string;
  socketMode?: string;
  drainTimeout: number;
  maxInFlight?: number;
  cache?: CachePolicy | "none";
  limit?: DiskLimits;
  onError: ErrorPolicy;
  log: LogFormat;
  shardTimeout: number;
  tlsCerts?: string;
  metrics?: string;
  top?: boolean;
  json?: boolean;
}

export function attachCommand(): Command {
  const command = new Command("attach")
    .summary("serve RBD images to VMs over vhost-user-blk or NBD")
    .description(
      "Serve RBD images to VMs through siphon's own client, until interrupted. Then finish requests in flight, " +
        "make all writes durable, and release the images' locks.",
    )
    .argument("<image...>", "POOL/IMAGE, or POOL/IMAGE@SNAPSHOT to read it as it was")
    .option(
      "--nbd <address>",
      "serve images over NBD, on a unix socket or on HOST:PORT; once for all images, or once for each",
      collect,
    )
    .option("--vhost <socket>", "serve an image over vhost-user-blk; once for each image", collect)
    .option("--read-only", "refuse writes, and take no lock")
    .addOption(
      numberOption(
        "--shards <n>",
        "processes that the images are spread over, each with a client of its own",
      ).default(1),
    )
    .addOption(numberOption("--queues <n>", "vhost-user queues, at most (default: 16)"))
    .option(
      "--socket-user <user>",
      "the user, by name or id, whose the unix sockets are (default: who runs siphon)",
    )
    .option(
      "--socket-group <group>",
      "the group, by name or id, that may connect to the unix sockets as well",
    )
    .option(
      "--socket-mode <mode>",
      "mode of the unix sockets, in octal (default: 600; 660 with --socket-group)",
    )
    .addOption(
      numberOption(
        "--drain-timeout <seconds>",
        "so long the end waits for what is under way, if the cluster does not answer",
      ).default(30),
    )
    .addOption(
      sizeOption(
        "--max-in-flight <bytes>",
        "what all VMs of a process may have under way at once, such as 1G (default: 512M)",
      ),
    )
    .addOption(
      new Option(
        "--cache <policy>",
        "none, writethrough (of what is read), writearound or writeback (writes last with the next flush; killed, it loses the others)",
      )
        .choices(["none", "writethrough", "writearound", "writeback"])
        .default("none"),
    )
    .addOption(
      new Option(
        "--limit <limits>",
        "of each image, such as iops=1000,iops-burst=2000,bps=100M (default: as rbd_qos_* has them)",
      ).argParser(parseDiskLimits),
    )
    .addOption(
      new Option(
        "--on-error <policy>",
        "where there is no room, or the cluster takes longer than rados_osd_op_timeout: report it to the VM, or pause the disk until it has passed",
      )
        .choices(["report", "pause"])
        .default("report"),
    )
    .addOption(
      numberOption(
        "--shard-timeout <seconds>",
        "a shard that hangs for so long is killed and started again",
      ).default(30),
    )
    .addOption(
      new Option("--log <format>", "form of the lines on standard error: text, or one JSON object each")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("--tls-certs <dir>", "ca-cert.pem, server-cert.pem and server-key.pem, for NBD on TCP")
    .option("--metrics <address>", "serve metrics for Prometheus at http://ADDRESS/metrics")
    .option("--top", "show each image's I/O once a second")
    .option("--json", "print sockets and arguments for QEMU as JSON")
    .addHelpText("after", examples)
    .action(attach);
  return withConnectFlags(withEncryptionFlags(command));
}

const examples = `
Examples:
  siphon attach libvirt-pool/vm1 --nbd /run/vm1.sock --metrics 127.0.0.1:9283
  siphon attach libvirt-pool/vm1 --vhost /run/vm1.sock --socket-user libvirt-qemu`;

/** Less would not hold a large request or two. */
const leastInFlight = 16 << 20;
/** In milliseconds. */
const day = 86_400_000;

async function attach(images: string[], flags: Flags): Promise<void> {
  const request = await requestOf(images, flags);
  const drainTimeout = flags.drainTimeout * 1000;
  if (!(drainTimeout >= 0 && drainTimeout <= day)) {
    throw new AttachError("SIPHON_USAGE", "--drain-timeout takes a number of seconds, up to a day's");
  }
  if (!(flags.shardTimeout >= 1 && flags.shardTimeout * 1000 <= day)) {
    throw new AttachError("SIPHON_USAGE", "--shard-timeout takes a number of seconds, from 1 to a day's");
  }
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
    // An interruption is how this command ends, and explains no failure.
    process.stderr.write(`${explain(error)}\n`);
    // The rest does not end by itself.
    process.exit(1);
  }
}

async function requestOf(images: string[], flags: Flags): Promise<AttachRequest> {
  const { nbd, vhost, readOnly, queues, cache = "none", limit, tlsCerts, maxInFlight } = flags;
  const { socketUser: user, socketGroup: group, socketMode: mode } = flags;
  const encryption = encryptionLayers(flags);
  const isGiven = user !== undefined || group !== undefined || mode !== undefined;
  if (maxInFlight !== undefined && maxInFlight < leastInFlight) {
    throw new AttachError("SIPHON_USAGE", "--max-in-flight takes a size of 16M or more");
  }
  return {
    images: images.map(parseImageSpec),
    ...(nbd && { nbd: nbd.map(parseListenAddress) }),
    ...(vhost && { vhost }),
    ...(readOnly && { readOnly }),
    ...(encryption && { encryption }),
    ...(limit && { limits: limit }),
    ...(flags.onError !== "report" && { onError: flags.onError }),
    ...(isGiven && { access: await socketAccess({ user, group, mode }) }),
    ...(queues !== undefined && { queues }),
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

/** Tells where the images are, and what they do, until interrupted. */
async function present(attachment: Attachment, flags: Flags, log: Log): Promise<void> {
  const { metrics, json, top } = flags;
  await using _ =
    metrics === undefined
      ? undefined
      : await MetricsServer.listen(parseListenAddress(metrics), attachment, log);
  const host = await thisVmHost();
  process.stdout.write(
    json ? `${JSON.stringify(pointsOf(attachment, host))}\n` : instructions(attachment, host),
  );
  if (top) await showTop(attachment);
  else await interrupted();
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

async function interrupted(): Promise<void> {
  // A signal alone keeps no process alive.
  const alive = setInterval(() => {}, 2 ** 30);
  if (!interruption.signal.aborted) await once(interruption.signal, "abort");
  clearInterval(alive);
}

function pointsOf({ points }: Attachment, host: VmHost) {
  return points.map(({ image, size, point }, i) => ({
    ...{ image, size, ...point },
    ...instruction(point, i, host),
  }));
}

function instruction(point: AttachPoint, disk: number, host: VmHost) {
  const { wantedSocketUser, libvirtHint, ...rest } = howToConnect(point, `siphon${disk}`, host);
  const flag = wantedSocketUser === undefined ? "" : ` (--socket-user ${wantedSocketUser})`;
  return { ...rest, libvirtHint: libvirtHint && `${libvirtHint}${flag}` };
}

function instructions({ points }: Attachment, host: VmHost): string {
  const here = host.qemuVersion === undefined ? "" : `; this host has ${host.qemuVersion}`;
  return points
    .map(({ image, size, point }, i) => {
      const access = point.readOnly ? ", read-only" : "";
      const { qemu, qemuVersions, libvirt, libvirtHint } = instruction(point, i, host);
      return `${image} (${bytesText(size)}${access}) over ${point.kind}

${versionsText(qemuVersions)}${here}:
${shellLine(qemu)}

libvirt:
${libvirtHint === undefined ? "" : `${libvirtHint}\n`}${libvirt}

`;
    })
    .join("");
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
