import type { Cluster } from "@siphon/rados";
import type { CachePolicy } from "@siphon/rbd";
import { AttachError } from "../errors.ts";
import { NbdServer } from "../nbd/server.ts";
import { readTlsCredentials } from "../nbd/tls.ts";
import type { VhostEvent } from "../vhost/events.ts";
import { VhostServer } from "../vhost/server.ts";
import type { AttachPoint } from "./connect-hints.ts";
import { DiskServer, type ServedDisk } from "./disk-server.ts";
import type { ImageSpec } from "./image-spec.ts";
import type { ListenAddress } from "./listen.ts";
import { MetricsServer } from "./metrics-server.ts";
import { openRbdDisk } from "./rbd-disk.ts";

export interface AttachOptions {
  cluster: Cluster;
  images: readonly ImageSpec[];
  readOnly?: boolean;
  /** None by default. */
  cache?: CachePolicy;
  /** One socket for all images, which are exports by their names. */
  nbd?: ListenAddress;
  /** Directory of certificates, for NBD on TCP. */
  tlsCertificates?: string;
  /** A socket for each image, in their order. */
  vhost?: readonly string[];
  /** The most that a VM may use over vhost-user; default 16, and as many as it has processors. */
  queues?: number;
  /** Where figures for Prometheus are told. */
  metrics?: ListenAddress;
  /** Is told, in a line each, what went wrong with clients. */
  log?: (line: string) => void;
}

export interface Attachment {
  readonly server: DiskServer;
  /** Where VMs find the disks. */
  readonly points: readonly { readonly disk: ServedDisk; readonly point: AttachPoint }[];
}

/**
 * Opens images and serves them until the server of the result is drained. Nothing is left behind when it fails: throws what went wrong
 * with an image, and AttachError for sockets.
 */
export async function attachImages(options: AttachOptions): Promise<Attachment> {
  const { cluster, images, nbd, vhost = [], queues, metrics, log } = options;
  checkOptions(options);
  await using undo = new AsyncDisposableStack();
  const disks: ServedDisk[] = [];
  for (const image of images) {
    const disk = await openRbdDisk(cluster, image, {
      readOnly: options.readOnly ?? false,
      cache: options.cache,
    });
    undo.defer(() => disk.close());
    disks.push(disk);
  }
  const fronts: AsyncDisposable[] = [];
  const points: Attachment["points"][number][] = [];
  if (nbd !== undefined) {
    const credentials = options.tlsCertificates && (await readTlsCredentials(options.tlsCertificates));
    const exports = disks.map((disk) => ({ ...disk, description: `RBD image ${disk.name}` }));
    const server = await NbdServer.listen({
      ...{ address: nbd, exports },
      ...(credentials && { credentials }),
      ...(log && { log }),
    });
    fronts.push(undo.use(server));
    const address = "path" in nbd ? nbd : { ...nbd, port: server.port! };
    const tls = credentials !== undefined && !("path" in nbd);
    for (const disk of disks) {
      const { name, device } = disk;
      points.push({
        disk,
        point: { kind: "nbd", address, exportName: name, readOnly: device.readOnly, tls },
      });
    }
  }
  for (const [i, socket] of vhost.entries()) {
    const disk = disks[i]!;
    const report = log && ((event: VhostEvent) => logVhost(disk.name, event, log));
    const { device, serial, metrics } = disk;
    const server = await VhostServer.listen({
      ...{ device, serial, metrics, socket },
      ...(queues !== undefined && { queues }),
      ...(report && { report }),
    });
    fronts.push(undo.use(server));
    points.push({ disk, point: { kind: "vhost", path: socket, queues, readOnly: device.readOnly } });
  }
  if (metrics !== undefined) fronts.push(undo.use(await MetricsServer.listen(metrics, disks)));
  undo.move();
  return { server: new DiskServer(disks, fronts), points };
}

function checkOptions({ images, nbd, vhost = [] }: AttachOptions): void {
  if (images.length === 0) throw new AttachError("SIPHON_USAGE", "there is no image to attach");
  if (nbd === undefined && vhost.length === 0) {
    throw new AttachError("SIPHON_USAGE", "there is no socket to attach to", {
      hint: "give --nbd, --vhost or both",
    });
  }
  if (vhost.length > 0 && vhost.length !== images.length) {
    throw new AttachError("SIPHON_USAGE", `${images.length} images and ${vhost.length} vhost-user sockets`, {
      hint: "give --vhost once for each image, in the same order",
    });
  }
}

function logVhost(name: string, event: VhostEvent, log: (line: string) => void): void {
  if (event.type === "fault") log(`vhost-user ${name}: ring ${event.queue} stopped: ${event.reason}`);
  else if (event.type === "refused") log(`vhost-user ${name}: refused: ${event.error.message}`);
  else if (event.type === "disconnected" && event.error)
    log(`vhost-user ${name}: lost: ${event.error.message}`);
}
