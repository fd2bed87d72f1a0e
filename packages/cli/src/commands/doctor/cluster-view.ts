import { hostname } from "node:os";
import type { ClusterView, ImageView } from "@siphon/doctor";
import type { Cluster } from "@siphon/rados";
import { featureNames, type Image, ImagePool, imageFlag, Overrides } from "@siphon/rbd";
import { parentSpec, parentText } from "../rbd/describe.ts";

/** Asks a cluster about the images and pools of VMs through siphon's own client. It only reads. */
export function clusterView(cluster: Cluster): ClusterView {
  return {
    // The user may lack the capability to read the CRUSH map.
    hostRoot: () => hostRoot(cluster).catch(() => undefined),
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
        const erasure = pool.type === 3 && {
          optimized: String(pool.flags_names).split(",").includes("ec_optimizations"),
        };
        return {
          ...{ name, size: Number(pool.size), pgs: Number(pool.pg_num_target ?? pool.pg_num), autoscale },
          ...(erasure && { erasure }),
          roots: await rootsOf(cluster, Number(pool.crush_rule)).catch(() => []),
        };
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
  const dataPool = header.dataPoolId === header.poolId ? undefined : cluster.pools.get(header.dataPoolId);
  const parent = header.parent && parentSpec(await parentText(cluster, header.parent));
  return {
    features: featureNames(header.features),
    ...(parent && { parent, cloneDepth: await depthOf(cluster, header.parent) }),
    ...(dataPool !== undefined && { dataPool }),
    objectSize: header.objectSize,
    objectMapInvalid: (header.flags & imageFlag.objectMapInvalid) !== 0,
    snapshots: image.snapshots.all().length,
    lockers: lockers.map(({ client }) => `client.${client}`),
    watchers: watchers.map(({ client }) => client),
    overrides: settings.flatMap(({ name: key, value, source }) =>
      source === "config" ? [] : [{ name: key, value, source }],
    ),
  };
}

/** The length of a clone's chain of ancestors; like librbd it counts at most 16. */
async function depthOf(cluster: Cluster, nearest: Image["header"]["parent"]): Promise<number> {
  let depth = 0;
  for (let link = nearest; link !== undefined && depth < 16; depth++) {
    const pool = cluster.pools.get(link.poolId) ?? String(link.poolId);
    const images = await ImagePool.open(cluster, pool, { namespace: link.namespace });
    const { header } = await images.lookUp(link.imageId);
    link = header.snapshots.get(link.snapId)?.parent ?? header.parent;
  }
  return depth;
}

interface Bucket {
  id: number;
  name: string;
  type: string;
  children?: number[];
}

/** The CRUSH roots that a rule takes, without their device classes (`default~ssd` is `default`). */
async function rootsOf(cluster: Cluster, id: number): Promise<string[]> {
  const rules = (await cluster.command({ prefix: "osd crush rule dump" })) as {
    rule_id: number;
    steps: { op: string; item_name?: string }[];
  }[];
  const steps = rules.find(({ rule_id }) => rule_id === id)?.steps ?? [];
  return steps.flatMap(({ op, item_name }) => (op === "take" && item_name ? [item_name.split("~")[0]!] : []));
}

/** The root above this host in the CRUSH map. */
async function hostRoot(cluster: Cluster): Promise<string | undefined> {
  const { nodes } = (await cluster.command({ prefix: "osd tree" })) as { nodes: Bucket[] };
  const short = hostname().split(".")[0];
  let at = nodes.find(({ type, name }) => type === "host" && name === short);
  for (let above = at; above !== undefined; at = above, above = parentOf(nodes, above));
  return at?.type === "root" ? at.name : undefined;
}

function parentOf(nodes: readonly Bucket[], { id }: Bucket): Bucket | undefined {
  return nodes.find(({ children }) => children?.includes(id));
}

/** Milliseconds to wait for one answer: operations on objects of inactive PGs never return. */
const patience = 10_000;

/** A question that fails becomes a reason, since the cluster may still answer the others. */
async function told<Answer>(ask: () => Promise<Answer>): Promise<Answer | { why: string }> {
  const gaveUp = Promise.withResolvers<{ why: string }>();
  const timer = setTimeout(
    () => gaveUp.resolve({ why: `no answer within ${patience / 1000} s; are its PGs active?` }),
    patience,
  );
  try {
    return await Promise.race([ask(), gaveUp.promise]);
  } catch (error) {
    return { why: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}
