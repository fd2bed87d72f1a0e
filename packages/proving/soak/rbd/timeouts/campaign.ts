import { setTimeout as sleep } from "node:timers/promises";
import type { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { type Image, ImagePool, imageFeature } from "@siphon/rbd";
import { Random } from "../../../../rados/test/support/random.ts";
import { imageFlag } from "../../../../rbd/src/header/image-header.ts";
import { objectState } from "../../../../rbd/src/object-map/object-state.ts";
import { until } from "../../../support/until.ts";
import { Violation } from "../../rados/faults/block-history.ts";
import { BlockLoad, type SnapshotBounds } from "../faults/block-load.ts";

export interface TimeoutsOptions {
  /** A cluster whose PGs with one copy continue after their OSDs were stopped: `osd_pool_default_read_lease_ratio`. */
  readonly ceph: LocalCluster;
  readonly seed: number;
  readonly seconds: number;
  readonly report?: (line: string) => void;
}

export interface TimeoutsResult {
  stops: number;
  writes: number;
  reads: number;
  /** Reads and writes that ended without a reply. */
  timedOut: number;
  tasks: number;
  tasksFailed: number;
  looks: number;
}

/**
 * OSDs stop for seconds at random moments while a client reads and writes a clone, takes and removes snapshots and resizes the clone.
 * The client's requests time out after 2 s (`rados_osd_op_timeout`), so they may fail. When another client opens the image, acknowledged
 * data must be there, read through the object map, and each snapshot must lie between two writes.
 *
 * @throws Violation
 */
export async function runTimeouts(options: TimeoutsOptions): Promise<TimeoutsResult> {
  const { ceph, seed, seconds, report = () => {} } = options;
  const identity = { conf: ceph.conf, name: "client.admin", env: {} };
  await using hasty = await Cluster.connect({ ...identity, settings: { rados_osd_op_timeout: "2" } });
  await using patient = await Cluster.connect(identity);
  const pool = ceph.spec.pool;
  const stage = { images: await ImagePool.open(hasty, pool), others: await ImagePool.open(patient, pool) };
  const random = new Random(seed);
  const result: TimeoutsResult = {
    ...{ stops: 0, writes: 0, reads: 0, timedOut: 0, tasks: 0, tasksFailed: 0, looks: 0 },
  };
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round === 0 || performance.now() < end; round++) {
    await oneRound(ceph, stage, `t${process.pid}-${round}`, random, result);
    report(
      `${result.stops} stops: ${result.writes} writes, ${result.timedOut} requests without an answer, ${result.tasksFailed} of ${result.tasks} tasks failed`,
    );
  }
  return result;
}

interface Stage {
  readonly images: ImagePool;
  readonly others: ImagePool;
}

async function oneRound(
  ceph: LocalCluster,
  { images, others }: Stage,
  name: string,
  random: Random,
  result: TimeoutsResult,
): Promise<void> {
  const load = new BlockLoad(random, { mayFail: isTimeout });
  const shape = { features: 61, objectSize: 65_536 };
  await others.create(`${name}-p`, 2 ** 22, shape);
  {
    await using parent = await others.open(`${name}-p`);
    await load.prepare(parent);
    await parent.snapshots.create("s");
  }
  await others.clone(`${name}-p`, "s", name, others, { version: 2, ...shape });
  const image = await images.open(name);
  const stop = new AbortController();
  const failed = new AbortController();
  const snapshots = new Map<string, SnapshotBounds>();
  const running = [load.run(image, stop.signal), work(image, load, random, snapshots, result, stop.signal)];
  for (const each of running) each.catch((error) => failed.abort(error));
  try {
    for (let stops = 0; stops < 3; stops++) {
      await stopOsd(ceph, random);
      result.stops++;
      const { operations } = load;
      await until(() => load.operations > operations + 100, {
        signal: failed.signal,
        progress: () => load.operations,
      });
    }
  } finally {
    stop.abort();
    await Promise.allSettled(running);
  }
  failed.signal.throwIfAborted();
  await image.close();
  result.reads += load.counts.reads;
  result.writes += load.counts.writes;
  result.timedOut += load.counts.failed;
  await look(others, name, load, snapshots);
  result.looks++;
  {
    await using rest = await others.open(name);
    for (const { id } of rest.snapshots.all()) await rest.snapshots.removeById(id);
  }
  await others.remove(name);
  {
    await using parent = await others.open(`${name}-p`);
    await parent.snapshots.remove("s");
  }
  await others.remove(`${name}-p`);
}

async function stopOsd(ceph: LocalCluster, random: Random): Promise<void> {
  const pid = random.pick(ceph.osdPids);
  await sleep(random.between(0, 500));
  process.kill(pid, "SIGSTOP");
  try {
    await sleep(random.between(2_500, 5_000));
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

/** Runs tasks of the image's owner one after the other. */
async function work(
  image: Image,
  load: BlockLoad,
  random: Random,
  snapshots: Map<string, SnapshotBounds>,
  result: TimeoutsResult,
  signal: AbortSignal,
): Promise<void> {
  for (let number = 0; !signal.aborted; number++) {
    const taken = [...snapshots.keys()];
    result.tasks++;
    try {
      const what = random.below(10);
      if (what < 5 || taken.length === 0) {
        const name = `s${number}`;
        const bounds = load.snapshotBegins(image);
        snapshots.set(name, bounds);
        try {
          await image.snapshots.create(name);
        } finally {
          bounds.noLaterThan();
        }
      } else if (what < 8) {
        const name = random.pick(taken);
        await image.snapshots.remove(name);
        snapshots.delete(name);
      } else await image.sparsify();
    } catch (error) {
      if (!isTimeout(error) && (error as { code?: string }).code !== "SIPHON_RBD_NO_SNAPSHOT") throw error;
      result.tasksFailed++;
    }
    await sleep(random.between(0, 300));
  }
}

/** Checks the image as an owner sees it: through the object map. */
async function look(
  others: ImagePool,
  name: string,
  load: BlockLoad,
  snapshots: ReadonlyMap<string, SnapshotBounds>,
): Promise<void> {
  await using image = await others.open(name);
  await image.locks.acquire();
  await load.verify(image);
  for (const snapshot of image.snapshots.list()) {
    await using shown = await others.open(name, { snapshot: snapshot.name });
    await snapshots.get(snapshot.name)?.check(shown);
  }
  const { features, flags } = image.header;
  if ((features & imageFeature.objectMap) === 0 || (flags & imageFlag.objectMapInvalid) !== 0) return;
  for (const { objectNumber, marked, found } of await image.checkObjectMap()) {
    const denied = marked === objectState.nonexistent && found !== objectState.nonexistent;
    const hidden = marked === objectState.existsClean && found === objectState.exists;
    if (denied || hidden)
      throw new Violation(
        "lost",
        `the object map says ${marked} of object ${objectNumber}, which is ${found}`,
      );
  }
}

function isTimeout(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as { code?: string }).code === "SIPHON_RADOS_TIMEOUT") return true;
  }
  return false;
}
