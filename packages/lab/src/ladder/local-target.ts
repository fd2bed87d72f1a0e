import { LocalCluster } from "../cluster/local-cluster.ts";
import type { ClusterSpecInput } from "../cluster/spec.ts";
import { observeWireModes } from "../cluster/wire-modes.ts";
import { createImage } from "../image/image.ts";
import type { Offers } from "../rungs/rung.ts";
import type { Report } from "../step.ts";
import { imageSize, type Laying, layImage } from "./lay-image.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderPlatforms } from "./platforms.ts";
import type { Target } from "./target.ts";

const IMAGE = "siphon-ladder";

/** A local cluster for the ladder; disposing of it removes it with its content. */
export async function localTarget(
  options: LadderOptions,
  laying: Laying,
  { ceph, qemu }: LadderPlatforms,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<Target> {
  await using stack = new AsyncDisposableStack();
  const spec = clusterSpecFor(options, ceph === qemu);
  const cluster = stack.use(await LocalCluster.up(spec, { from: ceph, signal, onStep: report }));
  const { client } = cluster;
  const watch = stack.use(cluster.watch());
  report("creating the image");
  await createImage(client, { image: IMAGE, size: await imageSize(laying), signal });
  await layImage(client, IMAGE, laying, { report, signal: AbortSignal.any([signal, watch.signal]) });
  const keep = stack.move();
  return {
    client,
    diskFor: () => ({ pool: client.pool, image: IMAGE, user: cluster.spec.user }),
    copies: cluster.spec.replicas,
    noSecure: noSecure(cluster.spec),
    failed: watch.signal,
    facts: await cluster.facts(),
    osdPids: () => cluster.osdPids,
    observeWireModes: (work) => observeWireModes(cluster, work),
    clientConf: (name, clientOptions) => cluster.clientConf(name, clientOptions),
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}

/** Published mode replays the study's first runs: messenger v1 and no authentication. */
function clusterSpecFor({ mode, cluster }: LadderOptions, oneRelease: boolean): ClusterSpecInput {
  const study = mode === "published";
  const { auth = study ? "none" : "cephx", msgr = study ? "v1" : "v2", ...rest } = cluster;
  return {
    ...rest,
    name: `ladder-${process.pid}`,
    // Keys that every librbd supports, whatever the default of the cluster's release.
    keyType: cluster.keyType ?? (oneRelease ? undefined : "aes"),
    auth,
    msgr,
    // Offers both secure and crc mode if possible; each rung's client chooses.
    wire: auth === "cephx" && msgr !== "v1" ? "any" : "crc",
  };
}

/** The offers for rungs of a cluster with these options. */
export function localOffers(options: LadderOptions): Pick<Offers, "noSecure" | "copies"> {
  const { osds = 1, replicas = Math.min(3, osds), ...spec } = clusterSpecFor(options, true);
  const why = noSecure(spec);
  return { copies: replicas, ...(why !== undefined && { noSecure: why }) };
}

function noSecure({ auth, msgr }: Pick<ClusterSpecInput, "auth" | "msgr">): string | undefined {
  if (msgr === "v1") return "messenger v1, which this cluster speaks, has no secure mode";
  return auth === "none"
    ? "secure mode needs the session keys of cephx, and this cluster has auth none"
    : undefined;
}
