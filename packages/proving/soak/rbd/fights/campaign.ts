import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "@siphon/rados";
import { type Image, ImagePool, RbdError } from "@siphon/rbd";
import { Random } from "../../../../rados/test/support/random.ts";
import { LibrbdClient, LibrbdEnded } from "../../../support/rbd/differential/librbd-client.ts";
import { objectMapErrors } from "../../../support/rbd/differential/object-map-check.ts";
import { workerCuts } from "../../../support/rbd/through-workers.ts";
import { BlockHistory, Violation } from "../../rados/faults/block-history.ts";
import { SocketCuts } from "../../rados/faults/socket-cuts.ts";

export interface FightsOptions {
  readonly conf: string;
  readonly pool: string;
  readonly seed: number;
  readonly seconds: number;
  /** Number of our clients; librbd is one more. */
  readonly clients: number;
  /** librbd's process is killed after at most this many turns; default 200. */
  readonly librbdTurns?: number;
  /** Our clients' images have workers: see `goThroughWorkers`. */
  readonly hasWorkers?: boolean;
  readonly report?: (line: string) => void;
}

export interface FightsResult {
  /** Number of times that an image was opened, written and closed. */
  turns: number;
  writes: number;
  snapshots: number;
  socketsCut: number;
  /** Number of live clients that were fenced. */
  fenced: number;
  /** How often librbd's process ended and may have been fenced: killed, or crashed, as librbd 16.2 sometimes does on closing an image. */
  deaths: number;
}

/**
 * Several clients of ours, and librbd, open one image, write, have its owner take and remove snapshots, and close it, in random
 * order. Meanwhile connections break now and then, and librbd's process is killed. Each of our clients has another image open all
 * the time, which it would lose if it were fenced.
 *
 * @throws Violation if a live client is blocklisted or data is lost; or the first error of a client: none may fail
 */
export async function runFights(options: FightsOptions): Promise<FightsResult> {
  const { conf, pool, seed, seconds, clients, report = () => {} } = options;
  const identity = { conf, name: "client.admin", env: {} };
  await using admin = await Cluster.connect(identity);
  const random = new Random(seed);
  const socketCuts = new SocketCuts(random);
  const cuts = options.hasWorkers ? workerCuts : socketCuts;
  const result: FightsResult = { turns: 0, writes: 0, snapshots: 0, socketsCut: 0, fenced: 0, deaths: 0 };
  const images = await ImagePool.open(admin, pool);
  const name = `fight-${process.pid}`;
  await images.create(name, 2 ** 22, { objectSize: 65_536 });
  const history = new BlockHistory(blockBytes);
  const failed = new AbortController();
  const end = performance.now() + seconds * 1000;
  const isOver = () => performance.now() > end || failed.signal.aborted;
  const openTransport = options.hasWorkers ? undefined : socketCuts.open;
  const fighters = Array.from({ length: clients }, (_, number) =>
    fight({ number, name, conf, pool, history, random, openTransport, clients: clients + 1, result, isOver }),
  );
  const dead = new Set<string>();
  const theirs = fightAsLibrbd({
    ...{ name, conf, pool, history, random, clients: clients + 1, result, isOver, dead },
    most: options.librbdTurns ?? 200,
  });
  for (const each of [...fighters, theirs]) each.catch((error) => failed.abort(error));
  const trouble = (async () => {
    while (!isOver()) {
      await sleep(random.between(200, 2_000));
      cuts.active = random.chance(0.3);
      report(`${result.turns} turns, ${result.writes} writes, ${cuts.cuts} sockets cut`);
    }
    cuts.active = false;
  })();
  await Promise.allSettled([...fighters, theirs, trouble]);
  failed.signal.throwIfAborted();
  result.socketsCut = cuts.cuts;
  const blocklist = (await admin.command({ prefix: "osd blocklist ls" })) as { addr: string }[];
  const blocked = blocklist.filter(({ addr }) => !dead.has(addr));
  result.fenced = blocked.length;
  if (blocked.length > 0)
    throw new Violation("lost", `clients that live were fenced: ${JSON.stringify(blocked)}`);
  {
    await using image = await images.open(name, { readOnly: true });
    for (let block = 0; block < image.size / blockBytes; block++) {
      history.check(block, history.startRead(block), await image.read(block * blockBytes, blockBytes));
    }
    const left = image.snapshots.all();
    if (left.length > 0)
      throw new Violation("twice", `snapshots that were removed are there: ${left.map((s) => s.name)}`);
  }
  const errors = await objectMapErrors(conf, "client.admin", `${pool}/${name}`);
  if (errors.length > 0) throw new Violation("lost", errors.join("; "));
  await removeUnwatched(images, name);
  return result;
}

/** The OSDs keep a killed librbd's watch for up to `osd_client_watch_timeout`, 30 s. */
async function removeUnwatched(images: ImagePool, name: string): Promise<void> {
  for (let seconds = 0; ; seconds++) {
    try {
      return await images.remove(name);
    } catch (error) {
      if (!(error instanceof RbdError && error.retryable) || seconds > 60) throw error;
      await sleep(1000);
    }
  }
}

interface Fight {
  readonly name: string;
  readonly conf: string;
  readonly pool: string;
  readonly history: BlockHistory;
  readonly random: Random;
  readonly clients: number;
  readonly result: FightsResult;
  isOver(): boolean;
}

async function fight(
  how: Fight & { number: number; openTransport: SocketCuts["open"] | undefined },
): Promise<void> {
  const { number, name, conf, pool, openTransport, random, result, isOver } = how;
  await using cluster = await Cluster.connect({
    conf,
    name: "client.admin",
    env: {},
    ...(openTransport && { openTransport }),
  });
  const images = await ImagePool.open(cluster, pool);
  const own = `${name}-own-${number}`;
  await images.create(own, 2 ** 20);
  await using mine = await images.open(own);
  for (let turn = 0; !isOver(); turn++) {
    await using image = await images.open(name);
    for (let write = random.between(1, 20); write > 0; write--)
      await writeOne(how, number, image.write.bind(image));
    if (random.chance(0.2)) {
      const snapshot = `s${number}-${turn}`;
      await image.snapshots.create(snapshot);
      await image.refresh();
      await image.snapshots.remove(snapshot);
      result.snapshots++;
    }
    await mine.write(0, Buffer.from(`turn ${turn}`));
    if (random.chance(0.1)) await twice(images, how, number, image);
    if (random.chance(0.3)) await sleep(random.between(1, 300));
    result.turns++;
  }
  await mine.close();
  await images.remove(own);
}

/** The same client opens the image again: it must never mistake itself for another client. */
async function twice(images: ImagePool, how: Fight, number: number, image: Image): Promise<void> {
  await using again = await images.open(how.name);
  await writeOne(how, number, again.write.bind(again));
  await writeOne(how, number, image.write.bind(image));
}

async function fightAsLibrbd(how: Fight & { dead: Set<string>; most: number }): Promise<void> {
  while (!how.isOver()) {
    await using client = new LibrbdClient(how.conf, "client.admin", how.pool);
    const address = await client.address();
    try {
      await fightWith(client, how, how.random.between(1, how.most));
    } catch (error) {
      if (!(error instanceof LibrbdEnded)) throw error;
      how.dead.add(address);
      how.result.deaths++;
    }
  }
}

/** @param turns the process is killed after this many turns, while it holds the lock */
async function fightWith(client: LibrbdClient, how: Fight, turns: number): Promise<void> {
  const { name, clients, random, result, isOver } = how;
  const write = () =>
    writeOne(how, clients - 1, (offset, bytes) => client.write(name, offset, Buffer.from(bytes)));
  for (let turn = 1; !isOver(); turn++) {
    await client.open(name);
    for (let left = random.between(1, 5); left > 0; left--) await write();
    if (turn === turns) client.kill();
    await client.close(name);
    await sleep(random.between(100, 1_000));
    result.turns++;
  }
}

/** Each client has its own blocks; all clients share the objects. */
async function writeOne(
  { history, random, clients, result }: Fight,
  number: number,
  write: (offset: number, bytes: Buffer) => Promise<void>,
): Promise<void> {
  const block = random.below(Math.floor(2 ** 22 / blockBytes / clients)) * clients + number;
  const { version, bytes } = history.startWrite(block);
  await write(block * blockBytes, bytes);
  history.acknowledge(block, version);
  result.writes++;
}

const blockBytes = 4096;
