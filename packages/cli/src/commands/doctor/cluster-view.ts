import type { ClusterView, ImageView } from "@siphon/doctor";
import type { Cluster } from "@siphon/rados";
import { featureNames, type Image, ImagePool, Overrides } from "@siphon/rbd";
import { parentSpec, parentText } from "../rbd/describe.ts";

/** What a cluster says of the images and pools of VMs, by siphon's own client; nothing of it is changed. */
export function clusterView(cluster: Cluster): ClusterView {
  return {
    image: (pool, namespace, name) => told(() => imageView(cluster, pool, namespace, name)),
    pool: (name) =>
      told(async () => {
        const pools = (await cluster.command({ prefix: "osd pool ls", detail: "detail" })) as Record<
          string,
          unknown
        >[];
        const pool = pools.find((each) => each.pool_name === name);
        if (pool === undefined) return { why: "there is no such pool" };
        const autoscale = pool.pg_autoscale_mode as "on" | "off" | "warn";
        return { name, size: Number(pool.size), pgs: Number(pool.pg_num_target ?? pool.pg_num), autoscale };
      }),
    health: () =>
      told(async () => {
        const health = (await cluster.command({ prefix: "health" })) as {
          checks?: Record<string, { summary?: { message?: string } }>;
        };
        return {
          checks: Object.entries(health.checks ?? {}).map(([code, { summary }]) => ({
            code,
            summary: summary?.message ?? code,
          })),
        };
      }),
  };
}

async function imageView(
  cluster: Cluster,
  pool: string,
  namespace: string | undefined,
  name: string,
): Promise<ImageView> {
  const images = await ImagePool.open(cluster, pool, namespace === undefined ? {} : { namespace });
  await using image: Image = await images.open(name, { readOnly: true, watch: false });
  const { header } = image;
  const [{ lockers }, watchers, settings] = await Promise.all([
    image.locks.list(),
    image.watchers(),
    new Overrides(images, image).list(),
  ]);
  const parent = header.parent && parentSpec(await parentText(cluster, header.parent));
  return {
    features: featureNames(header.features),
    ...(parent && { parent }),
    objectSize: header.objectSize,
    snapshots: image.snapshots.all().length,
    lockers: lockers.map(({ client }) => `client.${client}`),
    watchers: watchers.map(({ client }) => client),
    overrides: settings.flatMap(({ name: key, value, source }) =>
      source === "config" ? [] : [{ name: key, value, source }],
    ),
  };
}

/** A cluster that does not answer one question may answer the others. */
async function told<Answer>(ask: () => Promise<Answer>): Promise<Answer | { why: string }> {
  try {
    return await ask();
  } catch (error) {
    return { why: (error as Error).message };
  }
}
