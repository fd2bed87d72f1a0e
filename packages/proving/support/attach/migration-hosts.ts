import { join } from "node:path";
import type { Disk, LocalCluster } from "@siphon/lab";
import type { Transport } from "./survival.ts";

/** How a VM reaches a disk. librbd in QEMU itself is for comparison. */
export type Way = Transport | "librbd";

export interface MigrationOptions {
  ceph: LocalCluster;
  /** Directory for sockets and logs. */
  directory: string;
  /** A disk for each transport, in the image of that name. All but the first are over NBD. */
  ways: readonly Way[];
  /** Maximum milliseconds for which QEMU stops the guest to send the rest of its memory (default: 2000). */
  downtimeLimit?: number;
}

/** Each server represents a host. */
export type Host = 0 | 1;

export function other(host: Host): Host {
  return host === 0 ? 1 : 0;
}

/** The process that serves the images; undefined if none is served. */
export function serverArguments(
  { ceph, directory, ways }: MigrationOptions,
  host: Host,
): string[] | undefined {
  const served = ways.filter((way) => way !== "librbd");
  if (served.length === 0) return undefined;
  const images = served.map((way) => `${ceph.client.pool}/${way}`);
  const isVhost = served.includes("vhost");
  // Either all images have a socket of a kind or none has: images over NBD also get an unused one for vhost-user-blk.
  const vhost = isVhost ? served.flatMap((way) => ["--vhost", socketAt(directory, way, host)]) : [];
  const nbd = served.includes("nbd") ? ["--nbd", `${socketAt(directory, "nbd", host)}.nbd`] : [];
  return [...images, ...vhost, ...nbd, "--migratable", "--conf", ceph.conf];
}

export function disksAt({ ceph, directory, ways }: MigrationOptions, host: Host): [Disk, ...Disk[]] {
  const { pool } = ceph.client;
  const disks = ways.map((way): Disk => {
    if (way === "vhost") return { type: "vhost-user", socket: socketAt(directory, way, host) };
    if (way === "librbd") return { type: "rbd", pool, image: way, user: "admin", conf: ceph.conf };
    const socket = `${socketAt(directory, way, host)}.nbd`;
    return { type: "nbd", socket, export: `${pool}/${way}`, reconnectDelay: 60 };
  });
  return disks as [Disk, ...Disk[]];
}

function socketAt(directory: string, way: Way, host: Host): string {
  return join(directory, `${way}-${host}.sock`);
}
