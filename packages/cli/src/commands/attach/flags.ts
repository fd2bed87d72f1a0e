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

/** How a disk is served, on any kind of socket. */
export interface DiskFlags {
  readOnly?: boolean;
  migratable?: boolean;
  queues?: number;
  workers?: number;
  cache?: CachePolicy | "none";
  limit?: DiskLimits;
  onError?: ErrorPolicy;
  tlsCerts?: string;
}

export function withDiskFlags(command: Command): Command {
  return command
    .option("--read-only", "refuse writes, and take no lock")
    .option(
      "--migratable",
      "take the lock when the VM begins to use the disk, and give it to the next host's server when it has stopped",
    )
    .addOption(numberOption("--queues <n>", "maximum number of vhost-user queues (default: 16)"))
    .addOption(
      numberOption(
        "--workers <n>",
        "threads that serve each image's NBD connections and vhost-user queues, each with a client of the cluster (default: one thread serves all images)",
      ),
    )
    .addOption(
      new Option(
        "--cache <policy>",
        "none, writethrough (caches reads), writearound or writeback (writes are durable after a flush; a killed process loses the others)",
      )
        .choices(["none", "writethrough", "writearound", "writeback"])
        .default("none"),
    )
    .addOption(
      new Option(
        "--limit <limits>",
        "limits of each image, such as iops=1000,iops-burst=2000,bps=100M (default: rbd_qos_*)",
      ).argParser(parseDiskLimits),
    )
    .addOption(
      new Option(
        "--on-error <policy>",
        "when the pool is full, or the cluster takes longer than rados_osd_op_timeout: report an error to the VM, or pause the disk until the cause is gone",
      )
        .choices(["report", "pause"])
        .default("report"),
    )
    .option("--tls-certs <dir>", "ca-cert.pem, server-cert.pem and server-key.pem, for NBD on TCP");
}

/** Owner and mode of unix sockets. */
export interface SocketFlags {
  socketUser?: string;
  socketGroup?: string;
  socketMode?: string;
}

export function withSocketFlags(command: Command): Command {
  return command
    .option(
      "--socket-user <user>",
      "owner of the unix sockets, by name or id (default: the user who runs siphon)",
    )
    .option("--socket-group <group>", "group that may also connect to the unix sockets, by name or id")
    .option(
      "--socket-mode <mode>",
      "mode of the unix sockets, in octal (default: 600; 660 with --socket-group)",
    );
}

/** Options of a process that serves disks. */
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
        "number of processes that serve the images, each with its own client",
      ).default(1),
    )
    .addOption(
      numberOption("--drain-timeout <seconds>", "seconds to wait for the cluster at shutdown").default(30),
    )
    .addOption(
      new Option(
        "--max-in-flight <bytes>",
        "bytes that all VMs of a process may have in flight, such as 1G (default: 512M)",
      ).argParser((text) => parseBytes(text) ?? Number.NaN),
    )
    .addOption(
      numberOption(
        "--shard-timeout <seconds>",
        "seconds without an answer after which a shard is killed and started again",
      ).default(30),
    )
    .addOption(
      new Option("--log <format>", "form of the lines on standard error: text, or one JSON object each")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("--metrics <address>", "serve metrics for Prometheus at http://ADDRESS/metrics");
}

/** @throws AttachError SIPHON_USAGE for numbers out of range */
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

/** Bytes, enough for one or two large requests. */
const leastInFlight = 16 << 20;
/** Seconds. */
const day = 86_400;

export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
