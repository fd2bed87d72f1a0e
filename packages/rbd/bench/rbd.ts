import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { createImage, LocalCluster, prefillImage } from "@siphon/lab";
import { type Estimate, estimate } from "../../rados/bench/estimate.ts";
import { type Goal, goal, printGoals, progress, writeResult } from "../../rados/bench/goals.ts";
import { type Client, type Image, type Load, type Sample, shipped, siphon, tuned } from "./clients.ts";

/**
 * The race against librbd: the same loads on the same image, by fio's rbd engine as it is shipped, by the same at its
 * best, and by `siphon rbd bench`; one after the other in every round, each time another one first. Ratios are taken within a
 * round, so that a busy machine is busy for all.
 */
const { values: args } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    rounds: { type: "string" },
    seconds: { type: "string" },
    stores: { type: "string", default: "memstore,bluestore" },
    wires: { type: "string", default: "crc,secure" },
    loads: { type: "string" },
  },
});
const rounds = Number(args.rounds ?? (args.quick ? 2 : 7));
const times = { warmup: args.quick ? 1 : 2, seconds: Number(args.seconds ?? (args.quick ? 3 : 6)) };
const mib = 2 ** 20;
const imageSize = (args.quick ? 256 : 1024) * mib;

const allLoads: Load[] = [
  { name: "16K randread, depth 128", rw: "randread", blockSize: 16_384, depth: 128 },
  { name: "16K randwrite, depth 128", rw: "randwrite", blockSize: 16_384, depth: 128 },
  { name: "4K randread, depth 1", rw: "randread", blockSize: 4096, depth: 1 },
  { name: "4K randwrite, depth 1", rw: "randwrite", blockSize: 4096, depth: 1 },
  { name: "4K randread, depth 32", rw: "randread", blockSize: 4096, depth: 32 },
  { name: "4K randwrite, depth 32", rw: "randwrite", blockSize: 4096, depth: 32 },
  { name: "4M read, depth 16", rw: "read", blockSize: 4 * mib, depth: 16 },
  { name: "4M write, depth 16", rw: "write", blockSize: 4 * mib, depth: 16 },
];
const quickLoads = ["16K", "depth 1"];
const wanted = args.loads?.split(";") ?? (args.quick ? quickLoads : [""]);
const loads = allLoads.filter(({ name }) =>
  wanted.some((part) => name.includes(part) && !(args.quick && name.includes("depth 16"))),
);
const clients: Client[] = [shipped, tuned, siphon];
const clusters = {
  memstore: { osds: 1, replicas: 1, store: "memstore", osdSize: 5 * 2 ** 30 },
  bluestore: { osds: 3, replicas: 3, store: "bluestore", osdSize: 5 * 2 ** 30 },
} as const;
/** A long log of each PG makes memstore slower by the minute. */
const settings = { osd_min_pg_log_entries: 100, osd_max_pg_log_entries: 200 };

interface Cell {
  store: string;
  wire: string;
  load: string;
  client: string;
  samples: Sample[];
}

const cells: Cell[] = [];
for (const store of args.stores.split(",") as (keyof typeof clusters)[]) await race(store);
const rows = cells.map(({ samples, ...cell }) => ({ ...cell, ...estimates(samples) }));
for (const { store, wire, load, client, iops, cpu, p50, p99, p999, mebibytes } of rows) {
  console.log(
    `${store.padEnd(9)} ${wire.padEnd(6)} ${load.padEnd(25)} ${client.padEnd(12)}` +
      ` ${iops.median.toFixed(0).padStart(7)} IOPS ${cpu.median.toFixed(1).padStart(8)} us CPU` +
      `  p50 ${p50.median.toFixed(0)}, p99 ${p99.median.toFixed(0)}, p99.9 ${p999.median.toFixed(0)} us` +
      `  ${mebibytes.median.toFixed(0)} MiB`,
  );
}
const goals = args.stores.split(",").flatMap(goalsOf);
printGoals(goals);
await writeResult(args.json, { benchmark: "rbd", rounds, ...times, imageSize, rows, goals });

async function race(store: keyof typeof clusters): Promise<void> {
  await using cluster = await LocalCluster.up({
    ...{ name: `bench-rbd-${process.pid}`, auth: "cephx", wire: "any", settings },
    ...clusters[store],
  });
  const { pool, user } = cluster.spec;
  const image = "race";
  await createImage(cluster.client, { image, size: imageSize });
  await prefillImage(cluster.client, { image });
  const wires = args.wires.split(",");
  const confs = new Map<string, string>();
  for (const client of clients) {
    for (const wire of wires) confs.set(`${wire} ${client.name}`, await confOf(cluster, client, wire));
  }
  const here: Cell[] = loads.flatMap(({ name }) =>
    wires.flatMap((wire) =>
      clients.map((client) => ({ store, wire, load: name, client: client.name, samples: [] as Sample[] })),
    ),
  );
  cells.push(...here);
  for (let round = 0; round < rounds; round++) {
    for (const load of loads) {
      for (const wire of wires) {
        for (let turn = 0; turn < clients.length; turn++) {
          const client = clients[(turn + round) % clients.length]!;
          progress(`${store}, round ${round + 1} of ${rounds}: ${load.name}, ${wire}, ${client.name}`);
          const target: Image = { conf: confs.get(`${wire} ${client.name}`)!, pool, user, image };
          const sample = await client.run(target, load, times);
          here
            .find((cell) => cell.wire === wire && cell.load === load.name && cell.client === client.name)!
            .samples.push(sample);
        }
      }
    }
  }
  progress("");
}

/** The cluster's ceph.conf, with the mode of the wire and what else the client wants. */
async function confOf(cluster: LocalCluster, client: Client, wire: string): Promise<string> {
  const path = cluster.resource.path(`${client.name.replace(" ", "-")}-${wire}.conf`);
  const modes = [`ms_client_mode = ${wire}`, `ms_mon_client_mode = ${wire}`];
  const lines = ["", "[client]", ...modes, ...client.settings, ""];
  await writeFile(path, (await readFile(cluster.conf, "utf8")) + lines.join("\n"));
  return path;
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
  };
}

function goalsOf(store: string): Goal[] {
  const cell = (wire: string, load: string, client: Client) =>
    cells.find(
      (c) => c.store === store && c.wire === wire && c.load.startsWith(load) && c.client === client.name,
    )?.samples;
  const goals: Goal[] = [];
  /** Ours against theirs, round by round. */
  const add = (
    name: string,
    key: keyof Sample,
    ours: Sample[] | undefined,
    theirs: Sample[] | undefined,
    op: Goal["op"],
    limit: number,
  ) => {
    if (ours === undefined || theirs === undefined) return;
    goals.push(
      goal(`${store} ${name}`, estimate(ours.map((sample, i) => sample[key] / theirs[i]![key])), op, limit),
    );
  };
  const limits = { randread: { shipped: 0.4, tuned: 0.55 }, randwrite: { shipped: 0.6, tuned: 0.8 } };
  for (const wire of args.wires.split(",")) {
    for (const rw of ["randread", "randwrite"] as const) {
      const load = `16K ${rw}`;
      const ours = cell(wire, load, siphon);
      for (const [who, client] of [
        ["shipped", shipped],
        ["tuned", tuned],
      ] as const) {
        const theirs = cell(wire, load, client);
        add(`${wire} ${load}: CPU per I/O / ${client.name}`, "cpu", ours, theirs, "<=", limits[rw][who]);
        add(
          `${wire} ${load}: IOPS / ${client.name}`,
          "iops",
          ours,
          theirs,
          ">=",
          who === "shipped" ? 1.25 : 1.1,
        );
      }
      const small = `4K ${rw}, depth 1`;
      add(
        `${wire} ${small}: p50 / librbd`,
        "p50",
        cell(wire, small, siphon),
        cell(wire, small, shipped),
        "<=",
        1.1,
      );
    }
  }
  const load = "16K randread";
  add(
    `${load}: our IOPS secure / crc`,
    "iops",
    cell("secure", load, siphon),
    cell("crc", load, siphon),
    ">=",
    0.9,
  );
  return goals;
}
