import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createImage, LocalCluster, prefillImage } from "@siphon/lab";
import { begin, count, flag, goalsFile, words } from "../../program.ts";
import { type Estimate, estimate } from "../rados/estimate.ts";
import { type Goal, goal, printGoals, progress, writeResult } from "../rados/goals.ts";
import type { Contender, Contest, Ground, Load, Sample } from "./contender.ts";
import { encryptedContest, encryptedLibrbdContest } from "./encrypted.ts";
import { fairness } from "./fairness.ts";
import { nbdContest } from "./nbd.ts";
import { idleCosts } from "./service.ts";
import { vhostContest } from "./vhost.ts";

const all: Contest[] = [nbdContest, vhostContest, encryptedContest, encryptedLibrbdContest];

/**
 * `siphon attach` against QEMU's servers over librbd, without a guest: one in-memory OSD, one copy, everything on the
 * same cores. Both serve all the time and take turns under load, so that other load on the machine affects both; ratios
 * are taken within a round.
 */
const args = await begin(
  "bench:attach",
  "siphon attach against QEMU's servers over librbd, without a guest.",
  {
    quick: flag("two rounds of 3 s"),
    json: goalsFile,
    rounds: count("rounds (default: 7, with --quick 2)"),
    seconds: count("seconds of each run (default: 8, with --quick 3)"),
    contests: words([...all.map(({ name }) => name), "service", "fairness"], "what to measure"),
  },
);
const rounds = args.rounds ?? (args.quick ? 2 : 7);
const seconds = args.seconds ?? (args.quick ? 3 : 8);
const contests = all.filter(({ name }) => args.contests.includes(name));
const wires = ["crc", "secure"] as const;
/** Contests that other benchmarks measure. */
const elsewhere = [
  {
    name: "vhost-user-blk in a VM: IOPS, times the best of QEMU and librbd",
    reason: "npm run ladder measures it: rungs siphon-vhost and librados-threads",
  },
  {
    name: "vhost-user-blk in a VM: IOPS, times the bare client's",
    reason: "needs a guest whose CPU is not the limit, which an emulated one's is",
  },
  { name: "acknowledged writes lost over 100 kills", reason: "npm run soak:attach counts them" },
];
const loads: Load[] = [
  { rw: "randread", blockSize: 16_384, depth: 128, seconds },
  { rw: "randwrite", blockSize: 16_384, depth: 128, seconds },
  { rw: "randread", blockSize: 4096, depth: 1, seconds },
];

await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "b-"));
stack.defer(() => rm(directory, { recursive: true, force: true }));
const cluster = stack.use(
  await LocalCluster.up({
    name: "bench-attach",
    osds: 1,
    replicas: 1,
    store: "memstore",
    auth: "cephx",
    wire: "any",
  }),
);
const size = 256 << 20;
const pool = "libvirt-pool";
const samples = new Map<string, Sample[]>();

for (const wire of wires) {
  const ground = await groundOf(wire);
  for (const contest of contests) {
    await using servers = new AsyncDisposableStack();
    const pair: Contender[] = [];
    for (const side of ["ours", "theirs"] as const) {
      const image = `${contest.name.replaceAll(" ", "-")}-${wire}-${side}`;
      await createImage(cluster.admin, { image, size });
      await prefillImage(cluster.admin, { image });
      pair.push(servers.use(await contest[side](ground, image)));
    }
    for (let round = 0; round < rounds; round++) {
      for (const load of loads) {
        for (const contender of round % 2 === 0 ? pair : pair.toReversed()) {
          progress(`${contest.name}, ${wire}, round ${round + 1} of ${rounds}: ${contender.name}`);
          const key = keyOf(contest, wire, load, contender === pair[0] ? "ours" : "theirs");
          samples.set(key, [...(samples.get(key) ?? []), await contender.run(load)]);
        }
      }
    }
  }
}
const idle = args.contests.includes("service")
  ? await idleCosts(cluster, await groundOf("crc"), seconds)
  : undefined;
const fair = args.contests.includes("fairness")
  ? await fairness(cluster, await groundOf("crc"), rounds, seconds)
  : undefined;
progress("");
await report();

async function groundOf(wire: (typeof wires)[number]): Promise<Ground> {
  const modes = { ms_client_mode: wire, ms_mon_client_mode: wire };
  const { path: conf } = await cluster.clientConf(wire, modes, "admin");
  return { conf, pool, size, directory };
}

function keyOf({ name }: Contest, wire: string, load: Load, side: "ours" | "theirs"): string {
  return `${name} ${wire} ${load.rw} ${load.blockSize >> 10} KiB depth ${load.depth} ${side}`;
}

async function report(): Promise<void> {
  const goals: Goal[] = [];
  const rows = [];
  for (const contest of contests) {
    for (const wire of wires) {
      for (const load of loads) {
        const ours = samples.get(keyOf(contest, wire, load, "ours"))!;
        const theirs = samples.get(keyOf(contest, wire, load, "theirs"))!;
        const name = keyOf(contest, wire, load, "ours").replace(/ ours$/, "");
        const ratio = (field: keyof Sample) =>
          estimate(ours.map((each, round) => each[field] / theirs[round]![field]));
        const times = { cpuTimes: ratio("cpu"), iopsTimes: ratio("iops") };
        rows.push({ load: name, server: "siphon", ...summary(ours), ...times });
        rows.push({ load: name, server: contest.peer, ...summary(theirs) });
        console.log(
          `${name}: CPU ${shown(times.cpuTimes)}, IOPS ${shown(times.iopsTimes)} times ${contest.peer}`,
        );
        if (load.rw === "randread" && load.depth > 1) {
          goals.push(
            goal(
              `${name}: CPU of the serving process, times ${contest.peer}`,
              times.cpuTimes,
              "<=",
              contest.goal,
            ),
          );
        }
      }
    }
  }
  for (const { server, disks, first, firstOwn, more, cpu } of idle?.costs ?? []) {
    console.log(
      `${server}, idle: ${first.toFixed(1)} MiB resident with one disk (${firstOwn.toFixed(1)} its own), ` +
        `${more.toFixed(2)} for each more, ${cpu.toFixed(2)} % of a core with ${disks}`,
    );
  }
  for (const { beside, p99, times } of fair?.neighbours ?? []) {
    console.log(
      `a disk's neighbour, ${beside}: p99 ${shown(p99)} ms, ${shown(times)} times that without a flood`,
    );
  }
  goals.push(...(idle?.goals ?? []), ...(fair?.goals ?? []));
  printGoals(goals);
  for (const { name, reason } of elsewhere) console.log(`skipped ${name}: ${reason}`);
  await writeResult(args.json, {
    benchmark: "attach",
    rounds,
    seconds,
    rows,
    idle: idle?.costs,
    neighbours: fair?.neighbours,
    goals,
    skipped: elsewhere,
  });
}

function shown({ median, low, high }: Estimate): string {
  return `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

function summary(taken: readonly Sample[]) {
  const of = (field: keyof Sample) => estimate(taken.map((sample) => sample[field]));
  return { cpu: of("cpu"), iops: of("iops"), p99: of("p99") };
}
