import type { Cluster } from "@siphon/rados";
import { type CachePolicy, ImagePool } from "@siphon/rbd";
import type { ServedDisk } from "./disk-server.ts";
import { formatImageSpec, type ImageSpec } from "./image-spec.ts";
import { IoMetrics } from "./io-metrics.ts";
import { RbdExtents } from "./rbd-extents.ts";

/**
 * Opens an image for VMs. Its lock, where it has one, is taken at once and kept until the disk is closed, so that no other client
 * writes to a disk that a VM has mounted; read-only disks and snapshots take none. There is no cache unless one is asked for, whatever
 * the configuration says: what a cache has acknowledged is lost with a process that is killed.
 */
export async function openRbdDisk(
  cluster: Cluster,
  spec: ImageSpec,
  { readOnly, cache }: { readOnly: boolean; cache: CachePolicy | undefined },
): Promise<ServedDisk> {
  const images = await ImagePool.open(cluster, spec.pool, { namespace: spec.namespace });
  const onlyRead = readOnly || spec.snapshot !== undefined;
  const image = await images.open(spec.image, {
    ...{ readOnly: onlyRead, exclusive: !onlyRead },
    ...(spec.snapshot !== undefined && { snapshot: spec.snapshot }),
    cache: cache !== undefined && { policy: cache },
  });
  try {
    await image.assertOneKey();
  } catch (error) {
    await image.close();
    throw error;
  }
  return {
    name: formatImageSpec(spec),
    serial: image.id.slice(0, 20),
    device: image,
    extents: new RbdExtents(image),
    metrics: new IoMetrics(),
    close: () => image.close(),
  };
}
