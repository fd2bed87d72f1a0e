import type { Cluster } from "@siphon/rados";
import { type CachePolicy, type EncryptionLayer, type Image, ImagePool, imageFeature } from "@siphon/rbd";
import type { BlockDevice } from "../block-device.ts";
import { AttachError } from "../errors.ts";
import { type ErrorPolicy, type PauseEvents, PausingDevice } from "../health/pausing-device.ts";
import type { DiskLimits } from "../throttle/disk-limits.ts";
import { ImageLimits } from "../throttle/image-limits.ts";
import { ThrottledDevice } from "../throttle/throttled-device.ts";
import { WorkedDisk } from "../workers/worked-disk.ts";
import type { ServedDisk } from "./disk-server.ts";
import { DiskUse } from "./disk-use.ts";
import { EncryptedDevice } from "./encrypted-device.ts";
import { decrypted } from "./encryption.ts";
import { formatImageSpec, type ImageSpec } from "./image-spec.ts";
import { IoMetrics } from "./io-metrics.ts";
import type { Log } from "./log.ts";
import { RbdExtents } from "./rbd-extents.ts";

/**
 * Opens an image for VMs. It takes the exclusive lock, if the image has one, and keeps it until the disk is closed, so
 * that no other client writes to a disk that a VM has mounted. With `sharesLock` the lock goes to any client that
 * requests it; with `migratable` it is kept while the disk is used; read-only disks and snapshots take none. There is
 * no cache unless requested, whatever the configuration says: acknowledged writes in a cache are lost if the process is
 * killed. With keys, the disk has the decrypted data of the image.
 */
export async function openRbdDisk(
  cluster: Cluster,
  spec: ImageSpec,
  options: DiskOptions & {
    /** Bytes of requests that an image with workers may have in flight. */
    maxInFlight?: number;
    log?: Log;
  },
): Promise<ServedDisk> {
  const {
    readOnly = false,
    sharesLock = false,
    migratable = false,
    cache,
    encryption,
    limits = {},
    onError = "report",
    workers,
    maxInFlight,
    log = () => {},
  } = options;
  const images = await ImagePool.open(cluster, spec.pool, { namespace: spec.namespace });
  const snapshot = options.snapshotId ?? spec.snapshot;
  const onlyRead = readOnly || snapshot !== undefined;
  const image = await images.open(spec.image, {
    ...{ readOnly: onlyRead, exclusive: !onlyRead && !sharesLock && !migratable, takesTurns: migratable },
    ...(snapshot !== undefined && { snapshot }),
    cache: cache !== undefined && { policy: cache },
    workers,
  });
  const name = formatImageSpec(spec);
  const metrics = new IoMetrics();
  metrics.hold = () => image.writeHold;
  const of = { cluster, pool: images.pool, image };
  const open = async (): Promise<Opened> => {
    if (migratable && !onlyRead) assertLocks(image, name);
    if (encryption === undefined) await image.assertOneKey();
    const pauses = pauseEvents(name, metrics, log);
    if (workers !== undefined) {
      const disk = await WorkedDisk.start(image, { name, onError, maxInFlight, metrics, pauses, log });
      const { device, extents } = disk;
      return { device, extents, elsewhere: disk, limits: await ImageLimits.open(of, disk, limits) };
    }
    const { device, extents } =
      encryption === undefined
        ? { device: image, extents: new RbdExtents(image) }
        : await encryptedSide(image, spec, encryption, snapshot !== undefined);
    const patient = onError === "pause" ? new PausingDevice(device, pauses) : device;
    const throttled = new ThrottledDevice(patient, metrics);
    return { extents, device: throttled, limits: await ImageLimits.open(of, throttled, limits) };
  };
  const opened = await open().catch(async (error) => {
    await image.close().catch(() => {});
    throw error;
  });
  return {
    ...opened,
    get metrics() {
      return opened.elsewhere?.metrics ?? metrics;
    },
    name,
    serial: image.id.slice(0, 20),
    ...(migratable && !onlyRead && { use: new DiskUse(image.locks) }),
    close: async () => {
      opened.limits[Symbol.dispose]();
      await image.close();
    },
  };
}

/** @throws AttachError SIPHON_USAGE for an image without an exclusive lock */
function assertLocks({ header }: Image, name: string): void {
  if ((header.features & imageFeature.exclusiveLock) !== 0) return;
  throw new AttachError("SIPHON_USAGE", `${name} cannot migrate: it has no exclusive lock`, {
    hint: "enable the feature exclusive-lock",
  });
}

interface Opened extends Pick<ServedDisk, "device" | "extents"> {
  readonly limits: ImageLimits;
  readonly elsewhere?: WorkedDisk;
}

/** Options with which an image is served. */
export interface DiskOptions {
  readOnly?: boolean;
  /** The id of the snapshot to serve, instead of a name in the image spec. */
  snapshotId?: number;
  /** The lock goes to any client that requests it, as with librbd: for VMs of which one at a time writes. */
  sharesLock?: boolean;
  /**
   * The lock is taken when a VM begins to use the disk, and goes to the server on its next host when the VM has ended
   * its use.
   */
  migratable?: boolean;
  /** None by default. */
  cache?: CachePolicy;
  /** Keys of encrypted images: the layers of each, the image's own first. */
  encryption?: readonly EncryptionLayer[];
  /** Limits of each image; missing ones come from `rbd_qos_*`. */
  limits?: DiskLimits;
  /** Default `report`. */
  onError?: ErrorPolicy;
  /** Threads that serve each image's clients; by default this thread does. */
  workers?: number;
}

function pauseEvents(name: string, metrics: IoMetrics, log: Log): PauseEvents {
  return {
    paused(why) {
      metrics.state = "paused";
      log(`${name}: paused because writes fail with ${why}; siphon tries again every second`, {
        ...{ event: "paused", image: name },
      });
    },
    resumed(seconds) {
      metrics.state = "serving";
      log(`${name}: resumed after ${seconds.toFixed(1)} s`, { event: "resumed", image: name });
    },
  };
}

async function encryptedSide(
  image: Image,
  spec: ImageSpec,
  layers: readonly EncryptionLayer[],
  isSnapshot: boolean,
): Promise<{ device: BlockDevice; extents: RbdExtents | undefined }> {
  const plain = await decrypted(image, spec, layers);
  // A parent's LUKS header may have another size, so nothing is known about the parent's extents.
  const hasParent = image.header.parent !== undefined || isSnapshot;
  const extents = hasParent ? undefined : new RbdExtents(image, plain.dataOffset);
  return { device: new EncryptedDevice(image, plain), extents };
}
