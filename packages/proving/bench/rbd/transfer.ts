import { mkdtemp, rm } from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";
import { createImage, LocalCluster, prefillImage } from "@siphon/lab";
import { begin, count, flag, goalsFile } from "../../program.ts";
import { estimate } from "../rados/estimate.ts";
import { type Goal, goal, printGoals, progress, writeResult } from "../rados/goals.ts";
import { programs as clients, type ProcessSample, runProcess } from "./whole-process.ts";

/**
 * The same transfers by `rbd` and by `siphon rbd`, whole processes from start to end, in turn in every round, each time
 * with another one first; files are in memory. Ratios are taken within a round, so that a busy machine is busy for
 * both. `info` does little more than start; its time is subtracted where CPU is given per GiB.
 */
const args = await begin(
  "bench:transfer",
  "Exports, imports, diffs and copies by rbd and by siphon rbd, as whole processes.",
  {
    quick: flag("two rounds with an image of 1 GiB"),
    json: goalsFile,
    rounds: count("rounds (default: 7, with --quick 2)"),
    size: count("MiB of the image (default: up to 4,096, as memory allows)"),
  },
);
const rounds = args.rounds ?? (args.quick ? 2 : 7);
/**
 * The data is in memory up to eight times: two images, for which the OSD takes at least twice their size, and three
 * files.
 */
const most = Math.floor(freemem() / 8 / 2 ** 30);
const mebibytes = args.size ?? 1024 * Math.max(1, Math.min(args.quick ? 1 : 4, most));

interface Transfer {
  name: string;
  /** Arguments for both programs. */
  args: string[];
  /** rbd commands that run first, not measured. */
  before?: string[];
  /** The image or file that it makes. */
  makes?: { image: string } | { file: string };
}

await using cluster = await LocalCluster.up({
  ...{ name: `bench-transfer-${process.pid}`, osds: 1, replicas: 1, store: "memstore" },
  osdSize: 12 * 2 ** 30,
  settings: { osd_min_pg_log_entries: 100, osd_max_pg_log_entries: 200 },
});
const { pool, user } = cluster.spec;
const directory = await mkdtemp("/dev/shm/siphon-transfer-");
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(directory, { recursive: true, force: true }));
await createImage(cluster.client, { image: "source", size: mebibytes * 2 ** 20 });
await prefillImage(cluster.client, { image: "source" });
const [raw, diff, out] = [join(directory, "raw"), join(directory, "diff"), join(directory, "out")];
const where = ["--conf", cluster.conf, "--id", user];
const [source, made] = [`${pool}/source`, `${pool}/made`];
const quiet = "--no-progress";

const transfers: Transfer[] = [
  { name: "export", args: ["export", source, out, quiet], makes: { file: out } },
  { name: "import", args: ["import", raw, made, quiet], makes: { image: made } },
  { name: "export-diff", args: ["export-diff", source, out, quiet], makes: { file: out } },
  {
    name: "import-diff",
    before: ["create", made, "--size", `${mebibytes}M`],
    args: ["import-diff", diff, made, quiet],
    makes: { image: made },
  },
  { name: "copy", args: ["cp", source, made, quiet], makes: { image: made } },
  { name: "deep copy", args: ["deep", "cp", source, made, quiet], makes: { image: made } },
  { name: "info", args: ["info", source] },
];

await run([...clients.rbd, "export", source, raw, quiet]);
await run([...clients.rbd, "export-diff", source, diff, quiet]);
const samples = new Map<string, ProcessSample[]>();
for (let round = 0; round < rounds; round++) {
  for (const transfer of transfers) {
    const names = Object.keys(clients) as (keyof typeof clients)[];
    for (const name of round % 2 === 0 ? names : names.reverse()) {
      progress(`round ${round + 1} of ${rounds}: ${transfer.name}, ${name}`);
      const key = `${transfer.name} ${name}`;
      if (transfer.before !== undefined) await run([...clients.rbd, ...transfer.before]);
      samples.set(key, [...(samples.get(key) ?? []), await run([...clients[name], ...transfer.args])]);
      await undo(transfer);
    }
  }
}
progress("");

const rows = transfers.flatMap(({ name }) =>
  Object.keys(clients).map((client) => {
    const mine = samples.get(`${name} ${client}`)!;
    const start = samples.get(`info ${client}`)!;
    return {
      ...{ transfer: name, client },
      seconds: estimate(mine.map(({ seconds }) => seconds)),
      cpu: estimate(mine.map(({ cpu }) => cpu)),
      ...(name !== "info" && {
        bandwidth: estimate(mine.map(({ seconds }) => mebibytes / seconds)),
        cpuPerGibibyte: estimate(mine.map(({ cpu }, i) => ((cpu - start[i]!.cpu) * 1024) / mebibytes)),
      }),
    };
  }),
);
for (const { transfer, client, seconds, cpu, cpuPerGibibyte } of rows) {
  const beside = cpuPerGibibyte && `, beside the start ${cpuPerGibibyte.median.toFixed(2)} s a GiB`;
  const elapsed = seconds.median.toFixed(2).padStart(6);
  console.log(
    `${transfer.padEnd(12)} ${client.padEnd(7)} ${elapsed} s, CPU ${cpu.median.toFixed(2)} s${beside ?? ""}`,
  );
}
const goals: Goal[] = transfers.flatMap(({ name }) => {
  const ratio = (of: (ours: ProcessSample, theirs: ProcessSample) => number) => {
    const theirs = samples.get(`${name} rbd`)!;
    return estimate(samples.get(`${name} siphon`)!.map((ours, i) => of(ours, theirs[i]!)));
  };
  const elapsed = ratio((ours, theirs) => ours.seconds / theirs.seconds);
  if (name === "info") return [goal("info: elapsed / rbd", elapsed, "<=", 2)];
  const bandwidth = ratio((ours, theirs) => theirs.seconds / ours.seconds);
  return [
    goal(`${name}: bandwidth / rbd`, bandwidth, ">=", 1),
    goal(
      `${name}: CPU / rbd`,
      ratio((ours, theirs) => ours.cpu / theirs.cpu),
      "<=",
      0.6,
    ),
  ];
});
printGoals(goals);
await writeResult(args.json, { benchmark: "transfer", rounds, mebibytes, rows, goals });

/** Runs a program on this cluster. */
function run(command: readonly string[]): Promise<ProcessSample> {
  return runProcess([...command, ...where]);
}

async function undo({ makes }: Transfer): Promise<void> {
  if (makes === undefined) return;
  if ("file" in makes) await rm(makes.file, { force: true });
  else await run([...clients.rbd, "rm", makes.image, quiet]);
}
