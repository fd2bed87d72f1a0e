import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Attachment,
  attachImages,
  libvirtXml,
  parseImageSpec,
  parseListenAddress,
  qemuArguments,
  RateWatch,
  shellLine,
} from "@siphon/attach";
import type { CachePolicy } from "@siphon/rbd";
import { Command, Option } from "commander";
import { type ConnectFlags, connectCluster, withConnectFlags } from "../connect.ts";
import { interruption } from "../interruption.ts";
import { bytesText, columns } from "./rados/format.ts";

interface Flags extends ConnectFlags {
  nbd?: string;
  vhost?: string[];
  readOnly?: boolean;
  queues?: number;
  cache?: CachePolicy | "none";
  tlsCerts?: string;
  metrics?: string;
  top?: boolean;
  json?: boolean;
}

export function attachCommand(): Command {
  const command = new Command("attach")
    .summary("serve RBD images to VMs, over vhost-user-blk or NBD")
    .description(
      "Serve RBD images to VMs from siphon's own client, until interrupted: then requests in flight are finished, " +
        "everything is made to last, and the images' locks are released.",
    )
    .argument("<image...>", "POOL/IMAGE, or POOL/IMAGE@SNAPSHOT to read it as it was")
    .option("--nbd <address>", "serve all images over NBD, on a unix socket or on HOST:PORT")
    .option("--vhost <socket>", "serve an image over vhost-user-blk; once for each image", collect)
    .option("--read-only", "take no writes, and no lock")
    .addOption(new Option("--queues <n>", "vhost-user queues, at most (default: 16)").argParser(Number))
    .addOption(
      new Option(
        "--cache <policy>",
        "none, writethrough (of what is read), writearound or writeback (writes last with the next flush; killed, it loses the others)",
      )
        .choices(["none", "writethrough", "writearound", "writeback"])
        .default("none"),
    )
    .option("--tls-certs <dir>", "ca-cert.pem, server-cert.pem and server-key.pem, for NBD on TCP")
    .option("--metrics <address>", "figures for Prometheus, at http://ADDRESS/metrics")
    .option("--top", "show what the images do, once a second")
    .option("--json", "print where the images are as JSON")
    .addHelpText(
      "after",
      "\nExample: siphon attach libvirt-pool/vm1 --nbd /run/vm1.sock --metrics 127.0.0.1:9283",
    )
    .action(attach);
  return withConnectFlags(command);
}

async function attach(images: string[], flags: Flags): Promise<void> {
  const { nbd, vhost, readOnly, queues, cache = "none", tlsCerts, metrics } = flags;
  const specs = images.map(parseImageSpec);
  await using cluster = await connectCluster(flags);
  const attachment = await attachImages({
    ...{ cluster, images: specs, log: (line) => process.stderr.write(`${line}\n`) },
    ...(nbd !== undefined && { nbd: parseListenAddress(nbd) }),
    ...(vhost && { vhost }),
    ...(readOnly && { readOnly }),
    ...(queues !== undefined && { queues }),
    ...(cache !== "none" && { cache }),
    ...(tlsCerts !== undefined && { tlsCertificates: tlsCerts }),
    ...(metrics !== undefined && { metrics: parseListenAddress(metrics) }),
  });
  await using _ = attachment.server;
  process.stdout.write(flags.json ? `${JSON.stringify(pointsOf(attachment))}\n` : instructions(attachment));
  if (flags.top) await showTop(attachment);
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

function pointsOf({ points }: Attachment) {
  return points.map(({ disk, point }, i) => ({
    ...{ image: disk.name, size: disk.device.size, ...point },
    qemu: qemuArguments(point, `siphon${i}`),
  }));
}

function instructions({ points }: Attachment): string {
  return points
    .map(({ disk, point }, i) => {
      const access = point.readOnly ? ", read-only" : "";
      return `${disk.name} (${bytesText(disk.device.size)}${access}) over ${point.kind}

QEMU:
${shellLine(qemuArguments(point, `siphon${i}`))}

libvirt:
${libvirtXml(point)}

`;
    })
    .join("");
}

async function showTop({ server }: Attachment): Promise<void> {
  const watches = server.disks.map((disk) => ({ disk, watch: new RateWatch(disk.metrics) }));
  const clear = process.stdout.isTTY ? "\x1b[H\x1b[2J" : "";
  const head = ["image", "read/s", "", "write/s", "", "p50", "p99", "in flight", "errors"];
  while (!interruption.signal.aborted) {
    await sleep(1000, undefined, { signal: interruption.signal }).catch(() => {});
    const rows = watches.map(({ disk, watch }) => {
      const rates = watch.next();
      return [
        disk.name,
        Math.round(rates.readIops),
        `${bytesText(Math.round(rates.readBandwidth))}/s`,
        Math.round(rates.writeIops),
        `${bytesText(Math.round(rates.writeBandwidth))}/s`,
        `${(rates.p50 * 1000).toFixed(2)} ms`,
        `${(rates.p99 * 1000).toFixed(2)} ms`,
        rates.inFlight,
        rates.errors,
      ];
    });
    process.stdout.write(`${clear}${columns([head, ...rows])}`);
  }
}
