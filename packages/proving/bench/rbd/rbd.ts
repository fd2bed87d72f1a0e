import { createImage, LocalCluster, prefillImage, Root } from "@siphon/lab";
import { begin, count, flag, goalsFile, text, words } from "../../program.ts";
import { type Estimate, estimate } from "../rados/estimate.ts";
import { printGoals, progress, writeResult } from "../rados/goals.ts";
import { clientConf } from "./client-conf.ts";
import { type Client, cached, type Image, type Sample, shipped, siphon, tuned, tunedOf } from "./clients.ts";
import { loads as allLoads, type Load } from "./loads.ts";
import { type Cell, goalsOf } from "./race-goals.ts";

/**
 * The race against librbd: the same loads on the same image, by fio's rbd engine as shipped, by the same in its
 * cheapest setup, with librbd of this machine and of other releases, and by `siphon rbd bench`; in turn in every round,
 * each time with another one first. Ratios are taken within a round, so that other load on the machine affects all.
 * Takes about 45 minutes, and 9 with `--quick`.
 */
const args = await begin("bench:rbd", "The race against librbd: the same loads on the same image, in turn.", {
  quick: flag("fewer loads and rounds: 9 minutes instead of 45"),
  json: goalsFile,
  rounds: count("rounds of each load (default: 7 or 3, by load)"),
  seconds: count("seconds of each run (default: 4, with --quick 3)"),
  stores: words(["memstore", "bluestore"], "clusters"),
  wires: words(["crc", "secure"], "modes of the wire"),
  roots: text("names", "roots whose librbd races too (default: all that are built, with --quick none)"),
  loads: text("names", "parts of the loads' names, with ; between them"),
});
const times = { warmup: 1, seconds: args.seconds ?? (args.quick ? 3 : 4) };
const { wires, stores } = args;
const mib = 2 ** 20;
const imageSize = (args.quick ? 256 : 1024) * mib;

const wanted = args.loads?.split(";") ?? [""];
const roundsOf = (load: Load) => args.rounds ?? (args.quick ? load.quickRounds : load.rounds);
const loads = allLoads.filter(
  (load) => wanted.some((part) => load.name.includes(part)) && roundsOf(load) > 0,
);
const otherReleases = await Promise.all((await rootsToRace()).map(tunedOf));
const clients: Client[] = [shipped, tuned, ...otherReleases, siphon, cached];
const clusters = {
  memstore: { osds: 1, replicas: 1, store: "memstore", osdSize: 5 * 2 ** 30 },
  bluestore: { osds: 3, replicas: 3, store: "bluestore", osdSize: 5 * 2 ** 30 },
} as const;
/** Long PG logs make memstore slower by the minute. */
const settings = { osd_min_pg_log_entries: 100, osd_max_pg_log_entries: 200 };

const cells: Cell[] = [];
for (const store of stores) await race(store);
const rows = cells.map(({ samples, ...cell }) => ({ ...cell, ...estimates(samples) }));
for (const { store, wire, load, client, iops, cpu, p50, p99, p999, mebibytes } of rows) {
  console.log(
    `${store.padEnd(9)} ${wire.padEnd(6)} ${load.padEnd(25)} ${client.padEnd(17)}` +
      ` ${iops.median.toFixed(0).padStart(7)} IOPS ${cpu.median.toFixed(1).padStart(8)} us CPU` +
      `  p50 ${p50.median.toFixed(0)}, p99 ${p99.median.toFixed(0)}, p99.9 ${p999.median.toFixed(0)} us` +
      `  ${mebibytes.median.toFixed(0)} MiB`,
  );
}
const goals = stores.flatMap((store) => goalsOf(cells, store, wires));
printGoals(goals);
await writeResult(args.json, { benchmark: "rbd", ...times, imageSize, rows, goals });

async function race(store: keyof typeof clusters): Promise<void> {
  await using cluster = await LocalCluster.up({
    ...{ name: `bench-rbd-${process.pid}`, auth: "cephx", wire: "any", settings },
    ...clusters[store],
  });
  const { pool, user } = cluster.spec;
  const image = "race";
  await createImage(cluster.client, { image, size: imageSize });
  await prefillImage(cluster.client, { image });
  const confs = new Map<string, string>();
  for (const client of clients) {
    for (const wire of wires) confs.set(`${wire} ${client.name}`, await clientConf(cluster, client, wire));
  }
  for (const load of loads) {
    for (let round = 0; round < roundsOf(load); round++) {
      for (const wire of wires.filter((each) => !load.crcOnly || each === "crc")) {
        const racing = clients.filter((client) => races(client, load, wire));
        for (let turn = 0; turn < racing.length; turn++) {
          const client = racing[(turn + round) % racing.length]!;
          progress(`${store}, ${load.name}, round ${round + 1}: ${wire}, ${client.name}`);
          const target: Image = { conf: confs.get(`${wire} ${client.name}`)!, pool, user, image };
          cellOf(store, wire, load, client).samples.push(await client.run(target, load, times));
        }
      }
    }
  }
  progress("");
}

function races(client: Client, load: Load, wire: string): boolean {
  if (client === cached) return load.cached === true && wire === "crc";
  return load.releases === true || !otherReleases.includes(client);
}

async function rootsToRace(): Promise<Root[]> {
  if (args.roots !== undefined)
    return Promise.all(args.roots.split(",").map((name) => Root.find(name, { uses: ["ceph"] })));
  const roots = args.quick ? [] : (await Root.list()).filter((root) => root.has("fio") && root.has("rbd"));
  if (!args.quick && roots.length === 0)
    console.error("only this machine's librbd races: for others, siphon root build reef (or tentacle)");
  return roots;
}

function cellOf(store: string, wire: string, load: Load, client: Client): Cell {
  const known = cells.find(
    (cell) =>
      cell.store === store && cell.wire === wire && cell.load === load.name && cell.client === client.name,
  );
  if (known !== undefined) return known;
  const cell = { store, wire, load: load.name, client: client.name, samples: [] };
  cells.push(cell);
  return cell;
}

function estimates(samples: readonly Sample[]): Record<keyof Sample, Estimate> {
  const of = (key: keyof Sample) => estimate(samples.map((sample) => sample[key]));
  return {
    iops: of("iops"),
    cpu: of("cpu"),
    p50: of("p50"),
    p99: of("p99"),
    p999: of("p999"),
    mebibytes: of("mebibytes"),
    switches: of("switches"),
  };
}
