import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askService, type DiskStatus, type DiskWords } from "@siphon/attach";
import { createImage, type LocalCluster } from "@siphon/lab";
import { builtProgram } from "../../../../scripts/build/built-program.ts";
import { estimate } from "../rados/estimate.ts";
import { type Goal, goal, progress } from "../rados/goals.ts";
import type { Ground } from "./contender.ts";
import { Serving } from "./serving.ts";

/** The cost of idle disks: a process that serves one, and then many. */
export interface IdleCost {
  server: string;
  disks: number;
  /** MiB resident with one disk. */
  first: number;
  /** The part not shared with other processes. */
  firstOwn: number;
  /** MiB resident for each further disk. */
  more: number;
  /** Percent of a core with all disks. */
  cpu: number;
  /** Milliseconds to serve one more, as its client sees it; missing if disks cannot be added. */
  attach: number[];
}

const count = 200;
/** With a server that has a client per disk, this many disks are enough to show the cost of each. */
const theirCount = 20;
const size = 16 << 20;

/** `siphon attachd` with 200 idle disks, and qemu-storage-daemon with librbd. */
export async function idleCosts(
  cluster: LocalCluster,
  ground: Ground,
  seconds: number,
): Promise<{ costs: IdleCost[]; goals: Goal[] }> {
  for (let i = 0; i < count; i++) {
    progress(`idle disks: image ${i + 1} of ${count}`);
    await createImage(cluster.admin, { image: imageOf(i), size });
  }
  const ours = await ourCost(ground, seconds);
  const theirs = await theirCost(ground, seconds);
  const once = (value: number) => estimate([value]);
  const goals = [
    goal("siphon attachd, the first idle disk: MiB resident", once(ours.first), "<=", 70),
    goal(`siphon attachd, each of ${count} idle disks more: MiB resident`, once(ours.more), "<=", 0.5),
    goal(`siphon attachd, ${count} idle disks: percent of a core`, once(ours.cpu), "<=", 0.3),
    goal("siphon attachd, one more disk: milliseconds until it is served", estimate(ours.attach), "<=", 100),
  ];
  return { costs: [ours, theirs], goals };
}

const imageOf = (i: number): string => `idle-${i}`;

/** `siphon attachd` in a directory of its own; it listens at its control socket. */
export function startAttachd({ conf }: Ground, directory: string): Promise<Serving> {
  mkdirSync(directory, { recursive: true });
  const where = ["--runtime-dir", directory, "--disks-dir", join(directory, "disks.d"), "--conf", conf];
  const args = [builtProgram(), "attachd", ...where];
  return Serving.start(process.execPath, args, join(directory, "attachd.sock"));
}

/** Returns once the disk is served. */
export async function addDisk({ socket }: Serving, name: string, disk: DiskWords): Promise<void> {
  const added = (await askService(socket, { command: "add", name, disk })) as DiskStatus;
  if (added.state !== "serving") throw new Error(`${added.name} is ${added.state}`);
}

async function ourCost(ground: Ground, seconds: number): Promise<IdleCost> {
  await using serving = await startAttachd(ground, ground.directory);
  const add = async (i: number): Promise<number> => {
    progress(`siphon attachd: disk ${i + 1} of ${count}`);
    const begun = performance.now();
    await addDisk(serving, imageOf(i), { image: `${ground.pool}/${imageOf(i)}` });
    return performance.now() - begun;
  };
  await add(0);
  const first = await settled(serving, seconds);
  const attach: number[] = [];
  for (let i = 1; i < count; i++) attach.push(await add(i));
  const all = await settled(serving, seconds);
  return {
    ...{ server: "siphon attachd", disks: count, first: first.resident, firstOwn: first.own, attach },
    ...{ more: (all.resident - first.resident) / (count - 1), cpu: await idleCpu(serving, seconds) },
  };
}

async function theirCost(ground: Ground, seconds: number): Promise<IdleCost> {
  const serve = async (disks: number) => {
    progress(`qemu-storage-daemon: ${disks} disks`);
    const { conf, pool, directory } = ground;
    const socket = (i: number) => join(directory, `qemu-${imageOf(i)}`);
    const args = Array.from({ length: disks }, (_, i) => {
      const node = { driver: "rbd", "node-name": `disk${i}`, pool, image: imageOf(i), user: "admin", conf };
      const addr = { type: "unix", path: socket(i) };
      const exported = { type: "vhost-user-blk", id: `export${i}`, "node-name": `disk${i}`, addr };
      const cache = { direct: true };
      return [
        ...["--blockdev", JSON.stringify({ ...node, cache })],
        ...["--export", JSON.stringify({ ...exported, writable: true })],
      ];
    });
    return Serving.start("qemu-storage-daemon", args.flat(), socket(disks - 1));
  };
  let first: Memory;
  {
    await using serving = await serve(1);
    first = await settled(serving, seconds);
  }
  await using serving = await serve(theirCount);
  const all = await settled(serving, seconds);
  return {
    ...{ server: "qemu-storage-daemon, librbd", disks: theirCount },
    ...{ first: first.resident, firstOwn: first.own, attach: [] },
    ...{ more: (all.resident - first.resident) / (theirCount - 1), cpu: await idleCpu(serving, seconds) },
  };
}

interface Memory {
  /** In MiB. */
  resident: number;
  own: number;
}

/** Memory after the startup's garbage had time to be returned. */
async function settled({ pid }: Serving, seconds: number): Promise<Memory> {
  await sleep(seconds * 1000);
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) / 1024;
  return { resident: of("VmRSS"), own: of("RssAnon") };
}

/** Percent of a core over some time. */
async function idleCpu(serving: Serving, seconds: number): Promise<number> {
  const [cpu, begun] = [serving.cpu, performance.now()];
  await sleep(Math.max(seconds * 4, 20) * 1000);
  return ((serving.cpu - cpu) * 100_000) / (performance.now() - begun);
}
