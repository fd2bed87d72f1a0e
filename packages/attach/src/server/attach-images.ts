import { resolve } from "node:path";
import type { Cluster } from "@siphon/rados";
import { AttachError } from "../errors.ts";
import { NbdServer } from "../nbd/server.ts";
import { readTlsCredentials } from "../nbd/tls.ts";
import { UsedDevice } from "../nbd/used-device.ts";
import type { VhostEvent } from "../vhost/events.ts";
import { VhostServer } from "../vhost/server.ts";
import type { ServedPoint } from "./attachment.ts";
import { DiskServer, type ServedDisk } from "./disk-server.ts";
import type { ImageSpec } from "./image-spec.ts";
import type { Limits } from "./limits.ts";
import type { ListenAddress } from "./listen.ts";
import type { Log } from "./log.ts";
import { type DiskOptions, openRbdDisk } from "./rbd-disk.ts";
import { Shared } from "./shared.ts";
import type { SocketAccess } from "./socket-access.ts";
import type { SocketKeeper } from "./socket-keeper.ts";

/** Which images are served, and where. */
export interface AttachRequest extends DiskOptions {
  images: readonly ImageSpec[];
  /** One socket for all images, which are exports by their names; or one for each image, in their order. */
  nbd?: readonly ListenAddress[];
  /** Directory of certificates, for NBD on TCP. */
  tlsCertificates?: string;
  /** A socket for each image, in their order. */
  vhost?: readonly string[];
  /** Access to unix sockets; by default for the user of this process alone. */
  access?: SocketAccess;
  /** Queues that a VM may use over vhost-user; default 16, of which QEMU uses one per processor of the VM. */
  queues?: number;
  /** Bytes of requests that all VMs of this process may have in flight; default 512 MiB. */
  maxInFlight?: number;
}

export interface AttachOptions extends AttachRequest {
  cluster: Cluster;
  /** Called with a line for each failure of a client and each change of a disk's state. */
  log?: Log;
  /**
   * Shared with other attachments of this process; by default the attachment has its own.
   *
   * @internal
   */
  shared?: Shared;
}

/**
 * Opens images and serves them until they are drained. If it fails, it cleans up everything. Throws the errors of
 * opening an image, and AttachError for sockets.
 */
export async function attachImages(options: AttachOptions): Promise<DiskServer> {
  const { cluster, images, log = () => {} } = options;
  checkRequest(options);
  await using undo = new AsyncDisposableStack();
  const watching = undo.use(new DisposableStack());
  const { limits, stalls, keeper } = options.shared ?? watching.use(new Shared(log, options.maxInFlight));
  const disks: ServedDisk[] = [];
  for (const image of images) {
    const disk = await openRbdDisk(cluster, image, { ...options, maxInFlight: limits.budget.limit });
    undo.defer(() => disk.close());
    watching.use(stalls.watch(disk));
    disks.push(disk);
  }
  const fronts = [
    ...(await serveNbd(disks, options, limits, keeper, undo)),
    ...(await serveVhost(disks, options, limits, undo)),
  ];
  undo.move();
  const points = fronts.flatMap((front) => front.points);
  return new DiskServer(
    disks,
    fronts.map(({ server }) => server),
    points,
    watching,
  );
}

/** @throws AttachError SIPHON_USAGE if images and sockets do not match */
export function checkRequest(request: AttachRequest): void {
  const { images, nbd = [], vhost = [], access, migratable } = request;
  if (images.length === 0) throw new AttachError("SIPHON_USAGE", "no image to attach");
  if (nbd.length === 0 && vhost.length === 0) {
    throw new AttachError("SIPHON_USAGE", "no socket to attach to", {
      hint: "name an NBD socket, a vhost-user socket, or both",
    });
  }
  if (nbd.length > 1 && nbd.length !== images.length) {
    throw new AttachError("SIPHON_USAGE", `${images.length} images and ${nbd.length} NBD sockets`, {
      hint: "name one NBD socket for all images, or one for each image, in the same order",
    });
  }
  if (vhost.length > 0 && vhost.length !== images.length) {
    throw new AttachError("SIPHON_USAGE", `${images.length} images and ${vhost.length} vhost-user sockets`, {
      hint: "name one vhost-user socket for each image, in the same order",
    });
  }
  if (request.workers !== undefined) checkWorkers(request);
  if (migratable) checkMigratable(request);
  if (access !== undefined && vhost.length === 0 && !nbd.some((address) => "path" in address)) {
    throw new AttachError("SIPHON_USAGE", "only unix sockets have an owner and a mode", {
      hint: "drop the sockets' user, group and mode, or serve NBD on a path",
    });
  }
}

function checkWorkers({ images, nbd = [], cache, encryption, workers }: AttachRequest): void {
  const refuse = (what: string, hint: string) => {
    throw new AttachError("SIPHON_USAGE", what, { hint });
  };
  if (!Number.isInteger(workers) || workers! < 1 || workers! > mostWorkers) {
    refuse(`a disk cannot have ${workers} workers`, `it has 1 to ${mostWorkers}`);
  }
  if (nbd.length > 0 && nbd.length !== images.length) {
    refuse("each image with workers needs an NBD socket of its own", "name one NBD socket for each image");
  }
  if (cache !== undefined) refuse("a disk with workers cannot have a cache", "drop the cache or the workers");
  if (encryption !== undefined) {
    refuse("workers cannot decrypt an image", "drop the passphrases or the workers");
  }
}

/** The limit of an image's own workers. */
export const mostWorkers = 64;

function checkMigratable({ cache, workers }: AttachRequest): void {
  if (cache !== undefined) {
    throw new AttachError("SIPHON_USAGE", "a disk with a cache cannot migrate", {
      hint: "drop the cache: the next host would not see its content",
    });
  }
  if (workers !== undefined) {
    throw new AttachError("SIPHON_USAGE", "a disk with workers cannot migrate", {
      hint: "drop the workers",
    });
  }
}

/** A listening socket and its images. */
interface Front {
  server: AsyncDisposable;
  points: ServedPoint[];
}

async function serveNbd(
  disks: readonly ServedDisk[],
  { nbd = [], tlsCertificates, access, log }: AttachOptions,
  limits: Limits,
  keeper: SocketKeeper | undefined,
  undo: AsyncDisposableStack,
): Promise<Front[]> {
  const credentials =
    nbd.length > 0 && tlsCertificates !== undefined ? await readTlsCredentials(tlsCertificates) : undefined;
  const fronts: Front[] = [];
  for (const [i, given] of nbd.entries()) {
    const served = nbd.length === 1 ? disks : [disks[i]!];
    const exports = served.map((disk) => {
      const shown = { ...disk, description: `RBD image ${disk.name}` };
      if (disk.use === undefined) return shown;
      const device = new UsedDevice(disk.device, disk.use);
      return { ...shown, device, joined: () => device.joined(), left: () => device.left() };
    });
    const [{ elsewhere }] = served as [ServedDisk];
    const server = await NbdServer.listen({
      ...{ address: given, exports, limits },
      ...(elsewhere && { elsewhere }),
      ...(access && { access }),
      ...(credentials && { credentials }),
      ...(keeper && { keeper }),
      ...(log && { log }),
    });
    undo.use(server);
    // Absolute, for programs with another working directory.
    const address = "path" in given ? { path: resolve(given.path) } : { ...given, port: server.port! };
    const tls = credentials !== undefined && !("path" in given);
    const points = served.map(({ name, device }): ServedPoint => {
      const { size, readOnly } = device;
      return { image: name, size, point: { kind: "nbd", address, exportName: name, readOnly, tls } };
    });
    fronts.push({ server, points });
  }
  return fronts;
}

async function serveVhost(
  disks: readonly ServedDisk[],
  { vhost = [], queues, access, log }: AttachOptions,
  { budget }: Limits,
  undo: AsyncDisposableStack,
): Promise<Front[]> {
  const fronts: Front[] = [];
  for (const [i, path] of vhost.entries()) {
    const { name, device, serial, metrics, use, elsewhere } = disks[i]!;
    const report = log && ((event: VhostEvent) => logVhost(name, event, log));
    const server = await VhostServer.listen({
      ...{ device, serial, metrics, budget, socket: path },
      ...(access && { access }),
      ...(queues !== undefined && { queues }),
      ...(report && { report }),
      ...(use && { use }),
      ...(elsewhere && { elsewhere: elsewhere.rings }),
    });
    undo.use(server);
    const { size, readOnly } = device;
    fronts.push({
      server,
      points: [{ image: name, size, point: { kind: "vhost", path: resolve(path), queues, readOnly } }],
    });
  }
  return fronts;
}

function logVhost(name: string, event: VhostEvent, log: (line: string) => void): void {
  if (event.type === "fault") log(`vhost-user ${name}: ring ${event.queue} stopped: ${event.reason}`);
  else if (event.type === "waiting")
    log(`vhost-user ${name}: no VM can connect for now: ${event.error.message}`);
  else if (event.type === "refused") log(`vhost-user ${name}: refused: ${event.error.message}`);
  else if (event.type === "disconnected" && event.error)
    log(`vhost-user ${name}: lost: ${event.error.message}`);
}
