import type { ClusterSpecInput } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { ImagePool, imageFeature } from "@siphon/rbd";
import { Random } from "../../../../rados/test/support/random.ts";
import { patientClients, upForTest } from "../../../support/rados/live-modes.ts";
import { objectMapErrors } from "../../../support/rbd/differential/object-map-check.ts";
import { workerCuts } from "../../../support/rbd/through-workers.ts";
import { until } from "../../../support/until.ts";
import type { FaultName } from "../../rados/faults/faults.ts";
import { runRounds } from "../../rados/faults/rounds.ts";
import { SocketCuts } from "../../rados/faults/socket-cuts.ts";
import { BlockLoad } from "./block-load.ts";

export interface CampaignOptions {
  spec: ClusterSpecInput;
  /** Minimum duration; each fault of the list occurs at least once. */
  seconds: number;
  /** Milliseconds that a fault lasts. */
  hold: number;
  /** OSDs are stopped for 20 s. */
  long: boolean;
  seed: number;
  /** Bytes of the clone. */
  size: number;
  /** The clone has workers: see `goThroughWorkers`. */
  hasWorkers?: boolean;
  /** Called as each fault begins. */
  report?: (line: string) => void;
}

export interface CampaignResult {
  operations: BlockLoad["counts"];
  faults: Partial<Record<FaultName, number>>;
  copyUps: number;
  parentReads: number;
  socketsCut: number;
  snapshots: number;
  seconds: number;
}

/**
 * Causes one fault after the other under random reads and writes of a clone with an object map. Takes a snapshot after each fault, and
 * keeps the last two.
 *
 * @throws Violation, the first error of a read or write (none may fail), or the findings of `rbd object-map check`
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { spec, seconds, hold, long, seed, size, hasWorkers = false, report = () => {} } = options;
  const began = performance.now();
  const random = new Random(seed);
  const usual = { mons: 3, osds: 3, replicas: 2, store: "bluestore", auth: "cephx" } as const;
  const settings = { ...patientClients, ...spec.settings };
  await using ceph = await upForTest(`rbd-faults-${seed}`, { ...usual, ...spec, settings });
  const socketCuts = new SocketCuts(random);
  const cuts = hasWorkers ? workerCuts : socketCuts;
  const identity = { conf: ceph.conf, name: "client.admin", env: {} };
  await using admin = await Cluster.connect(identity);
  await admin.createPool({ name: pool, pgs: 8, size: 2 });
  await using cluster = await Cluster.connect({
    ...identity,
    ...(!hasWorkers && { openTransport: socketCuts.open }),
  });
  const images = await ImagePool.open(cluster, pool);
  const load = new BlockLoad(random);
  await prepareClone(images, load, size);
  await using image = await images.open("clone");
  const stop = new AbortController();
  const failed = new AbortController();
  const running = load.run(image, stop.signal).catch((error) => {
    failed.abort(error);
    throw error;
  });
  running.catch(() => {});
  let snapshots = 0;
  const goesOn = async () => {
    const before = load.operations;
    await until(() => load.operations > before + 200, {
      signal: failed.signal,
      progress: () => load.operations,
    });
    await image.snapshots.create(`s${++snapshots}`);
    if (snapshots > 2) await image.snapshots.remove(`s${snapshots - 2}`);
  };
  try {
    const stage = { ceph, admin, cluster, cuts, random, pool, hold, long };
    const faults = await runRounds(stage, { seconds, report, goesOn });
    stop.abort();
    await running;
    const { copyUps, parentReads } = image.counters;
    await image.close();
    await verifyElsewhere(identity, load);
    const errors = await objectMapErrors(ceph.conf, identity.name, `${pool}/clone`);
    if (errors.length > 0) throw new Error(`rbd object-map check: ${errors.join("; ")}`);
    return {
      ...{ operations: load.counts, faults, copyUps, parentReads, socketsCut: cuts.cuts, snapshots },
      seconds: Math.round((performance.now() - began) / 1000),
    };
  } finally {
    stop.abort();
    cuts.active = false;
  }
}

const pool = "faults";

async function prepareClone(images: ImagePool, load: BlockLoad, size: number): Promise<void> {
  const { layering, exclusiveLock, objectMap, fastDiff, deepFlatten } = imageFeature;
  const features = layering | exclusiveLock | objectMap | fastDiff | deepFlatten;
  const shape = { features, objectSize: 65_536 };
  await images.create("parent", size, shape);
  await using parent = await images.open("parent");
  await load.prepare(parent);
  await parent.snapshots.create("s");
  await images.clone("parent", "s", "clone", images, { version: 2, ...shape });
}

async function verifyElsewhere(identity: { conf: string; name: string }, load: BlockLoad): Promise<void> {
  await using other = await Cluster.connect({ ...identity, env: {} });
  const images = await ImagePool.open(other, pool);
  await using image = await images.open("clone", { readOnly: true });
  await load.verify(image);
}
