import { createImage, LocalCluster, prefillImage } from "@siphon/lab";
import { begin, count, countList, flag, goalsFile } from "../../program.ts";
import { type Estimate, estimate } from "../rados/estimate.ts";
import { type Goal, goal, printGoals, progress, writeResult } from "../rados/goals.ts";
import { clientConf } from "./client-conf.ts";
import { type Client, librbdWith, type Sample, siphon, siphonWith } from "./clients.ts";
import { loads as allLoads, type Load } from "./loads.ts";

/**
 * The cost of an image that several threads read and write: `siphon rbd bench` without workers and with 1, 2 and 4, on
 * one in-memory OSD, in turn in every round, each time with another one first. Each worker has the load's number of
 * requests in flight; *parted*, for the largest number of workers: all workers together have it. fio's rbd engine runs
 * beside them, with as many messenger threads. On a machine whose cores the clients and the OSD fill, IOPS cannot grow;
 * CPU per I/O shows whether workers impede each other. Takes about 20 minutes, and 8 with `--quick`.
 */
const args = await begin(
  "bench:scale",
  "The cost of an image that several threads read and write, beside librbd.",
  {
    quick: flag("fewer rounds and a smaller image: 8 minutes instead of 20"),
    json: goalsFile,
    rounds: count("rounds (default: 7, with --quick 3)"),
    seconds: count("seconds of each run", 3),
    workers: countList("numbers of workers", [1, 2, 4]),
  },
);
/** V8 compiles the code for requests in each thread separately, and optimizes it only after thousands of requests. */
const times = { warmup: 5, seconds: args.seconds };
const rounds = args.rounds ?? (args.quick ? 3 : 7);
const imageSize = 256 * 2 ** 20;
const loads = allLoads.filter(({ name }) => name.startsWith("16K rand"));
const counts = args.workers;
const parted = siphonWith(Math.max(...counts), true);
const theirs = counts.map(librbdWith);
const clients: Client[] = [siphon, ...counts.map((count) => siphonWith(count)), parted, ...theirs];

interface Cell {
  load: string;
  client: string;
  samples: Sample[];
}
const cells: Cell[] = [];

{
  await using cluster = await LocalCluster.up({
    ...{ name: `bench-scale-${process.pid}`, auth: "cephx", wire: "crc", osds: 1, replicas: 1 },
    ...{ store: "memstore", osdSize: 5 * 2 ** 30 },
    settings: { osd_min_pg_log_entries: 100, osd_max_pg_log_entries: 200 },
  });
  const { pool, user } = cluster.spec;
  const image = "scale";
  await createImage(cluster.client, { image, size: imageSize });
  await prefillImage(cluster.client, { image });
  for (let round = 0; round < rounds; round++) {
    for (const load of loads) {
      for (let turn = 0; turn < clients.length; turn++) {
        const client = clients[(turn + round) % clients.length]!;
        progress(`${load.name}, round ${round + 1}: ${client.name}`);
        const conf = await clientConf(cluster, client, "crc");
        const target = { conf, pool, user, image };
        cellOf(load, client).samples.push(await client.run(target, load, times));
      }
    }
  }
  progress("");
}

const rows = cells.map(({ samples, ...cell }) => ({ ...cell, ...estimates(samples) }));
for (const { load, client, iops, cpu, p50, p99, mebibytes, switches } of rows) {
  console.log(
    `${load.padEnd(24)} ${client.padEnd(26)} ${iops.median.toFixed(0).padStart(7)} IOPS` +
      ` ${cpu.median.toFixed(1).padStart(6)} us CPU  p50 ${p50.median.toFixed(0)}, p99 ${p99.median.toFixed(0)} us` +
      `  ${switches.median.toFixed(2)} switches  ${mebibytes.median.toFixed(0)} MiB`,
  );
}
const goals = loads.flatMap((load) => [
  ...against(load, siphonWith(1), siphon),
  ...counts.filter((count) => count > 1).flatMap((count) => against(load, siphonWith(count), siphonWith(1))),
  ...against(load, parted, siphonWith(1)),
]);
printGoals(goals);
await writeResult(args.json, { benchmark: "scale", ...times, rounds, imageSize, rows, goals });

function against(load: Load, ours: Client, other: Client): Goal[] {
  const samplesOf = ({ name }: Client) =>
    cells.find((cell) => cell.load === load.name && cell.client === name)?.samples;
  const [mine, theirs] = [samplesOf(ours), samplesOf(other)];
  if (mine === undefined || theirs === undefined) return [];
  const ratios = mine.map(({ cpu }, round) => cpu / theirs[round]!.cpu);
  const whom = other === siphon ? "siphon without workers" : "1 worker";
  return [goal(`${load.name}: CPU per I/O of ${ours.name}, times ${whom}`, estimate(ratios), "<=", 1.1)];
}

function cellOf(load: Load, client: Client): Cell {
  const known = cells.find((cell) => cell.load === load.name && cell.client === client.name);
  if (known !== undefined) return known;
  const cell = { load: load.name, client: client.name, samples: [] };
  cells.push(cell);
  return cell;
}

function estimates(samples: readonly Sample[]): Record<keyof Sample, Estimate> {
  const of = (key: keyof Sample) => estimate(samples.map((sample) => sample[key]));
  return {
    ...{ iops: of("iops"), cpu: of("cpu"), p50: of("p50"), p99: of("p99"), p999: of("p999") },
    ...{ mebibytes: of("mebibytes"), switches: of("switches") },
  };
}
