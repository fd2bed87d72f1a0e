import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { askService } from "@siphon/attach";
import { createImage, type LocalCluster, prefillImage } from "@siphon/lab";
import { type Estimate, estimate } from "../rados/estimate.ts";
import { type Goal, goal, progress } from "../rados/goals.ts";
import type { Ground } from "./contender.ts";
import { addDisk, startAttachd } from "./service.ts";
import type { Serving } from "./serving.ts";
import { runRings } from "./vhost.ts";

/** The latency of a disk beside one that is flooded. */
export interface Neighbour {
  /** What the other disk does, and where. */
  beside: string;
  p99: Estimate;
  /** That without a flood, within a round. */
  times: Estimate;
}

/** Where the flooded disk is served: by the process of its neighbour, or by another one. */
type Place = "same" | "apart";

/** What holds the flood back: nothing, or the disk's limit. */
const floods = { "no limit": undefined, "a limit of 2,000 IOPS": "iops=2000" };

/**
 * What a disk suffers from a neighbour: random reads of 4 KiB, one at a time, while a client of another disk keeps 128 reads of 16 KiB under
 * way. Both disks share the cluster, and the machine's cores, in any case; that the flood comes from the same process is what the comparison
 * with a second process shows.
 */
export async function fairness(
  cluster: LocalCluster,
  ground: Ground,
  rounds: number,
  seconds: number,
): Promise<{ neighbours: Neighbour[]; goals: Goal[] }> {
  const { size, pool, directory } = ground;
  for (const image of ["quiet", "same", "apart"]) {
    await createImage(cluster.admin, { image, size });
    await prefillImage(cluster.admin, { image });
  }
  await using stack = new AsyncDisposableStack();
  const socketOf = (name: string) => join(directory, `${name}.sock`);
  const together = stack.use(await startAttachd(ground, join(directory, "together")));
  const beside = stack.use(await startAttachd(ground, join(directory, "beside")));
  const servers: Record<Place, Serving> = { same: together, apart: beside };
  await addDisk(together, "quiet", { image: `${pool}/quiet`, vhost: socketOf("quiet") });
  for (const place of places) {
    await addDisk(servers[place], place, { image: `${pool}/${place}`, nbd: socketOf(place) });
  }
  const load = { rw: "randread", blockSize: 4096, depth: 1, seconds } as const;
  const taken = new Map<string, number[]>();
  const take = async (what: string) => {
    const { p99 } = await runRings("siphon attachd", together, socketOf("quiet"), size, load);
    taken.set(what, [...(taken.get(what) ?? []), p99]);
  };
  for (let round = 0; round < rounds; round++) {
    progress(`fairness, round ${round + 1} of ${rounds}`);
    await take(alone);
    for (const [flood, limit] of Object.entries(floods)) {
      for (const place of round % 2 === 0 ? places : places.toReversed()) {
        await askService(servers[place].socket, { command: "limit", name: place, ...(limit && { limit }) });
        await using _flood = startFlood(socketOf(place), `${pool}/${place}`, size);
        await take(nameOf(flood, place));
      }
    }
  }
  return judged(taken);
}

const alone = "no flood";
const places = ["same", "apart"] as const;

function nameOf(flood: string, place: Place): string {
  return `a flood with ${flood}, ${place === "same" ? "served by the same process" : "served by another process"}`;
}

function judged(taken: ReadonlyMap<string, readonly number[]>): { neighbours: Neighbour[]; goals: Goal[] } {
  const ratio = (some: string, others: string) =>
    estimate(taken.get(some)!.map((p99, round) => p99 / taken.get(others)![round]!));
  const neighbours = [...taken].map(([beside, p99]) => {
    return { beside, p99: estimate(p99), times: ratio(beside, alone) };
  });
  const goals = Object.keys(floods).map((flood) =>
    goal(
      `p99 of a disk beside a flood with ${flood} in its process, times the same flood in another process`,
      ratio(nameOf(flood, "same"), nameOf(flood, "apart")),
      "<=",
      1.2,
    ),
  );
  return { neighbours, goals };
}

function startFlood(socket: string, exportName: string, size: number): AsyncDisposable {
  const args = ["--name=flood", "--ioengine=nbd", `--uri=nbd+unix:///${exportName}?socket=${socket}`];
  const load = ["--rw=randread", "--bs=16k", "--iodepth=128", `--size=${size}`, "--norandommap"];
  const child = spawn("fio", [...args, ...load, "--time_based", "--runtime=3600"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = once(child, "exit");
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) throw new Error(`fio ended with ${child.exitCode}`);
      child.kill("SIGINT");
      await exited;
    },
  };
}
