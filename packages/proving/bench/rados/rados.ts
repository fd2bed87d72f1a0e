import { createImage, LocalCluster, prefillImage } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { begin, count, flag, goalsFile } from "../../program.ts";
import { type Estimate, estimate } from "./estimate.ts";
import { goal, printGoals, progress, writeResult } from "./goals.ts";
import {
  connectLibrados,
  connectSiphon,
  hasTcmalloc,
  type Load,
  objectPrefix,
  runFio,
  runSiphon,
  type Sample,
} from "./rados-contenders.ts";

/**
 * This client against librados and librbd (C++, under fio), on one cluster made for it: one in-memory OSD, one copy,
 * client and OSD on the same cores. Contenders take turns in every round, so that other load on the machine affects all
 * of them; ratios are taken within a round.
 */
const args = await begin("bench:rados", "Reads and writes of objects, against librados and librbd.", {
  quick: flag("one round of 2 s"),
  json: goalsFile,
  rounds: count("rounds (default: 5, with --quick 1)"),
  seconds: count("seconds of each run (default: 6, with --quick 2)"),
});
const rounds = args.rounds ?? (args.quick ? 1 : 5);
const seconds = args.seconds ?? (args.quick ? 2 : 6);
const pool = "libvirt-pool";
const image = "bench";
const objects = 32;
const objectSize = 4 << 20;

const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", wire: "any" } as const;
await using ceph = await LocalCluster.up({ name: "bench-rados", ...spec });
await using cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
const ioctx = await cluster.pool(pool);
await createImage(ceph.admin, { image, size: objects * objectSize });
await prefillImage(ceph.admin, { image });

const conf = async (wire: string, tuned: boolean): Promise<string> => {
  const options = { ms_client_mode: wire, ...(tuned && { librados_thread_count: "1" }) };
  return (await ceph.clientConf(`${wire}-${tuned ? "tuned" : "shipped"}`, options, "admin")).path;
};
const confs = {
  crc: { shipped: await conf("crc", false), tuned: await conf("crc", true) },
  secure: { shipped: await conf("secure", false), tuned: await conf("secure", true) },
};
type Wire = keyof typeof confs;

const contenders = [
  "siphon",
  "siphon without koffi",
  "librados",
  "librados tuned",
  "librbd",
  "librbd tuned",
] as const;
type Contender = (typeof contenders)[number];
const samples = new Map<string, Sample[]>();
const connects = { siphon: [] as number[], librados: [] as number[] };
for (let round = 0; round < rounds; round++) {
  for (const wire of ["crc", "secure"] as const) {
    for (const rw of ["read", "write"] as const) {
      for (const contender of contenders) await measure(contender, wire, rw, 16384, 128);
    }
  }
  for (const contender of ["siphon", "librados", "librados tuned"] as const) {
    for (const rw of ["read", "write"] as const) await measure(contender, "crc", rw, objectSize, 16);
    await measure(contender, "crc", "read", 16384, 1);
    await measure(contender, "crc", "read", 16384, 1024);
  }
  const load = loadOf("crc", "shipped", "read", 16384, 1);
  connects.siphon.push(await connectSiphon(load));
  connects.librados.push(await connectLibrados(load));
}
progress("");
await report();

async function measure(
  who: Contender,
  wire: Wire,
  rw: "read" | "write",
  size: number,
  depth: number,
): Promise<void> {
  if (who === "siphon without koffi" && wire === "crc") return;
  const tuned = who.endsWith("tuned");
  if (tuned && !hasTcmalloc) return;
  const key = keyOf(who, wire, rw, size, depth);
  progress(`round ${(samples.get(key)?.length ?? 0) + 1} of ${rounds}: ${key}`);
  const load = loadOf(wire, tuned ? "tuned" : "shipped", rw, size, depth);
  // fio's rados engine removes its objects at the end.
  await fillObjects();
  const sample = who.startsWith("siphon")
    ? await runSiphon(load, { koffi: who === "siphon" })
    : await runFio(load, who.startsWith("librados") ? "rados" : "rbd", tuned);
  samples.set(key, [...(samples.get(key) ?? []), sample]);
}

function loadOf(
  wire: Wire,
  as: "shipped" | "tuned",
  rw: "read" | "write",
  blockSize: number,
  depth: number,
): Load {
  const common = { pool, image, objects, objectSize, warmup: 2, seconds };
  return { ...common, conf: confs[wire][as], rw, blockSize, depth };
}

async function fillObjects(): Promise<void> {
  const data = Buffer.alloc(objectSize, 0x5a);
  for (let i = 0; i < objects; i++) await ioctx.writeFull(`${objectPrefix}.${i}`, data);
}

function keyOf(who: Contender, wire: Wire, rw: string, size: number, depth: number): string {
  return `${size === 16384 ? "16 KiB" : "4 MiB"} ${rw}, ${wire}, depth ${depth}: ${who}`;
}

async function report(): Promise<void> {
  const rows = [...samples].map(([key, taken]) => {
    const [name, who] = key.split(": ") as [string, Contender];
    const ours = samples.get(`${name}: siphon`)!;
    const of = (field: keyof Sample) => estimate(taken.map((sample) => sample[field]));
    const ratio = (field: keyof Sample) =>
      estimate(taken.map((sample, round) => ours[round]![field] / sample[field]));
    return {
      ...{ name, who, iops: of("iops"), cpuMicroseconds: of("cpu"), latency: of("latency") },
      ...{ mebibytes: estimate(taken.map(({ memory }) => memory / 2 ** 20)) },
      ...{ iopsTimes: ratio("iops"), cpuTimes: ratio("cpu"), latencyTimes: ratio("latency") },
    };
  });
  for (const { name, who, iops, cpuMicroseconds: cpu, mebibytes, latency, iopsTimes, cpuTimes } of rows) {
    console.log(
      `${name.padEnd(30)} ${who.padEnd(20)} ${Math.round(iops.median).toString().padStart(7)} IOPS` +
        ` ${cpu.median.toFixed(1).padStart(7)} us ${Math.round(mebibytes.median).toString().padStart(5)} MiB` +
        `${latency.median > 0 ? ` p50 ${Math.round(latency.median)} us` : ""}; siphon ${iopsTimes.median.toFixed(2)}x IOPS, ${cpuTimes.median.toFixed(2)}x CPU`,
    );
  }
  const connect = { siphon: estimate(connects.siphon), librados: estimate(connects.librados) };
  console.log(
    `connect to first read: siphon ${connect.siphon.median.toFixed(0)} ms, librados ${connect.librados.median.toFixed(0)} ms`,
  );
  const rowOf = (name: string, who: string) => rows.find((row) => row.name === name && row.who === who);
  const against = (
    name: string,
    who: Contender,
    field: "cpuTimes" | "iopsTimes" | "latencyTimes",
    op: "<=" | ">=",
    limit: number,
  ) => {
    const estimated: Estimate | undefined = rowOf(name, who)?.[field];
    const what = { cpuTimes: "CPU", iopsTimes: "IOPS", latencyTimes: "median latency" }[field];
    return estimated ? [goal(`${name}: ${what}, times that of ${who}`, estimated, op, limit)] : [];
  };
  const goals = [
    ...(["crc", "secure"] as const).flatMap((wire) =>
      (["librados", "librbd"] as const).flatMap((library) => [
        ...against(`16 KiB read, ${wire}, depth 128`, library, "cpuTimes", "<=", 0.35),
        ...against(`16 KiB read, ${wire}, depth 128`, `${library} tuned`, "cpuTimes", "<=", 0.5),
        ...against(`16 KiB read, ${wire}, depth 128`, library, "iopsTimes", ">=", 1.3),
        ...against(`16 KiB read, ${wire}, depth 128`, `${library} tuned`, "iopsTimes", ">=", 1.1),
        ...against(`16 KiB write, ${wire}, depth 128`, library, "cpuTimes", "<=", 0.6),
        ...against(`16 KiB write, ${wire}, depth 128`, `${library} tuned`, "cpuTimes", "<=", 0.75),
      ]),
    ),
    ...against("16 KiB read, crc, depth 1", "librados", "latencyTimes", "<=", 1.1),
    ...against("4 MiB read, crc, depth 16", "librados", "iopsTimes", ">=", 1),
    ...against("4 MiB read, crc, depth 16", "librados", "cpuTimes", "<=", 1),
    ...against("4 MiB write, crc, depth 16", "librados", "iopsTimes", ">=", 1),
  ];
  printGoals(goals);
  await writeResult(args.json, { benchmark: "rados", rounds, seconds, rows, connect, goals });
}
