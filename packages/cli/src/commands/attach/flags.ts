import {
  AttachError,
  type DiskLimits,
  type ErrorPolicy,
  type LogFormat,
  parseDiskLimits,
} from "@siphon/attach";
import type { CachePolicy } from "@siphon/rbd";
import { parseBytes } from "@siphon/wire";
import { type Command, Option } from "commander";
import { numberOption } from "../../options.ts";

/** How a disk is served, on whatever socket. */
export interface DiskFlags {
  readOnly?: boolean;
  queues?: number;
  cache?: CachePolicy | "none";
  limit?: DiskLimits;
  onError?: ErrorPolicy;
  tlsCerts?: string;
}

export function withDiskFlags(command: Command): Command {
  return command
    .option("--read-only", "refuse writes, and take no lock")
    .addOption(numberOption("--queues <n>", "vhost-user queues, at most (default: 16)"))
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
    .option("--tls-certs <dir>", "ca-cert.pem, server-cert.pem and server-key.pem, for NBD on TCP");
}

/** Whose unix sockets are. */
export interface SocketFlags {
  socketUser?: string;
  socketGroup?: string;
  socketMode?: string;
}

export function withSocketFlags(command: Command): Command {
  return command
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
    );
}

/** Of a process that serves disks. */
export interface ServingFlags {
  shards: number;
  drainTimeout: number;
  maxInFlight?: number;
  shardTimeout: number;
  log: LogFormat;
  metrics?: string;
}

export function withServingFlags(command: Command): Command {
  return command
    .addOption(
      numberOption(
        "--shards <n>",
        "processes that the images are spread over, each with a client of its own",
      ).default(1),
    )
    .addOption(
      numberOption(
        "--drain-timeout <seconds>",
        "so long the end waits for what is under way, if the cluster does not answer",
      ).default(30),
    )
    .addOption(
      new Option(
        "--max-in-flight <bytes>",
        "what all VMs of a process may have under way at once, such as 1G (default: 512M)",
      ).argParser((text) => parseBytes(text) ?? Number.NaN),
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
    .option("--metrics <address>", "serve metrics for Prometheus at http://ADDRESS/metrics");
}

/** Throws SIPHON_USAGE for numbers that make no sense. */
export function checkServingFlags({ drainTimeout, shardTimeout, maxInFlight }: ServingFlags): void {
  if (!(drainTimeout >= 0 && drainTimeout <= day)) {
    throw new AttachError("SIPHON_USAGE", "--drain-timeout takes a number of seconds, up to a day's");
  }
  if (!(shardTimeout >= 1 && shardTimeout <= day)) {
    throw new AttachError("SIPHON_USAGE", "--shard-timeout takes a number of seconds, from 1 to a day's");
  }
  if (maxInFlight !== undefined && !(maxInFlight >= leastInFlight)) {
    throw new AttachError("SIPHON_USAGE", "--max-in-flight takes a size of 16M or more");
  }
}

/** Less would not hold a large request or two. */
const leastInFlight = 16 << 20;
/** In seconds. */
const day = 86_400;

export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
