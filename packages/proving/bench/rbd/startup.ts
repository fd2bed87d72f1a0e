import { createImage, LocalCluster } from "@siphon/lab";
import { begin, count, flag, goalsFile, word } from "../../program.ts";
import { estimate } from "../rados/estimate.ts";
import { goal, printGoals, progress, writeResult } from "../rados/goals.ts";
import { type ProcessSample, programs, runProcess } from "./whole-process.ts";

/**
 * Short commands by `rbd` and by the built `siphon rbd`, whole processes from start to end, in turn in every round,
 * each time with another one first. Ratios are taken within a round.
 */
const args = await begin("bench:startup", "Short commands by rbd and by siphon rbd, as whole processes.", {
  quick: flag("15 rounds instead of 41"),
  json: goalsFile,
  rounds: count("rounds (default: 41, with --quick 15)"),
  auth: word(["cephx", "none"], "authentication of the cluster", "cephx"),
});
const rounds = args.rounds ?? (args.quick ? 15 : 41);

await using cluster = await LocalCluster.up({
  ...{ name: `bench-startup-${process.pid}`, osds: 1, replicas: 1, store: "memstore" },
  auth: args.auth,
});
const { pool, user } = cluster.spec;
await createImage(cluster.client, { image: "image", size: 2 ** 30 });
const where = ["--conf", cluster.conf, "--id", user];
await run([...programs.rbd, "snap", "create", `${pool}/image@snap`, "--no-progress"]);

const names = Object.keys(programs) as (keyof typeof programs)[];
let made = 0;
const commands: Record<string, () => string[]> = {
  info: () => ["info", `${pool}/image`],
  ls: () => ["ls", pool],
  "snap ls": () => ["snap", "ls", `${pool}/image`],
  create: () => ["create", `${pool}/new${made++}`, "--size", "1G"],
};
const samples = new Map<string, ProcessSample[]>();
// The first round fills the page cache, and is not counted.
for (let round = -1; round < rounds; round++) {
  for (const [command, words] of Object.entries(commands)) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      progress(`round ${round + 1} of ${rounds}: ${command}, ${name}`);
      const sample = await run([...programs[name], ...words()]);
      const key = `${command} ${name}`;
      if (round >= 0) samples.set(key, [...(samples.get(key) ?? []), sample]);
    }
  }
}
progress("");

const rows = Object.keys(commands).flatMap((command) =>
  names.map((client) => {
    const mine = samples.get(`${command} ${client}`)!;
    const milliseconds = (of: keyof ProcessSample) => estimate(mine.map((sample) => 1000 * sample[of]));
    return { command, client, elapsed: milliseconds("seconds"), cpu: milliseconds("cpu") };
  }),
);
for (const { command, client, elapsed, cpu } of rows) {
  const shown = elapsed.median.toFixed(1).padStart(6);
  console.log(`${command.padEnd(8)} ${client.padEnd(7)} ${shown} ms, CPU ${cpu.median.toFixed(1)} ms`);
}
const goals = Object.keys(commands).map((command) => {
  const theirs = samples.get(`${command} rbd`)!;
  const ratios = samples.get(`${command} siphon`)!.map(({ seconds }, i) => seconds / theirs[i]!.seconds);
  return goal(`${command}: elapsed / rbd`, estimate(ratios), "<=", 2);
});
printGoals(goals);
await writeResult(args.json, { benchmark: "startup", rounds, auth: args.auth, rows, goals });

function run(command: readonly string[]): Promise<ProcessSample> {
  return runProcess([...command, ...where]);
}
