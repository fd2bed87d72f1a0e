/**
 * Faults of images and their owners, with a check that nothing acknowledged is lost, torn or stale. Each campaign gets
 * an equal part of the time; `answers` loses N replies per task, by default all. `--workers N`: images have N workers,
 * which carry out reads and writes in turn. A campaign ends at its first violation; then the next one begins, and at
 * the end the program fails.
 */
import { LocalCluster } from "@siphon/lab";
import { begin, count, usualSeed, word, words } from "../../program.ts";
import { goThroughWorkers } from "../../support/rbd/through-workers.ts";
import { loseAnswers } from "./answers/campaign.ts";
import { runChains } from "./chains/campaign.ts";
import { runCampaign } from "./faults/campaign.ts";
import { runFights } from "./fights/campaign.ts";
import { settings } from "./settings.ts";
import { runTimeouts } from "./timeouts/campaign.ts";

const values = await begin(
  "soak:rbd-faults",
  "Faults of images and their owners: nothing acknowledged may be lost, torn or stale.",
  {
    seconds: count("duration of all campaigns", 1800),
    only: words(["load", "chains", "timeouts", "answers", "fights"], "which campaigns"),
    seed: usualSeed,
    wire: word(["crc", "secure"], "mode of the wire", "secure"),
    losses: count("replies lost of each task, in campaign answers (default: all)"),
    workers: count("workers of the images"),
  },
);
if (values.workers !== undefined) goThroughWorkers(values.workers);
const { seed, only } = values;
const seconds = values.seconds / only.length;
const hasWorkers = values.workers !== undefined;
const report = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

type Campaign = (ceph: LocalCluster) => Promise<object>;
const campaigns: Record<string, Campaign> = {
  chains: ({ conf, spec }) => runChains({ conf, pool: spec.pool, seed, seconds, report: every(report) }),
  timeouts: (ceph) => runTimeouts({ ceph, seed, seconds, report }),
  answers: async ({ conf, spec }) => {
    const { losses, ...counts } = await loseAnswers({
      conf,
      pool: spec.pool,
      seed,
      until: seconds * 1000,
      report,
      ...(values.losses !== undefined && { losses: values.losses }),
    });
    return { ...counts, losses: Object.values(losses).reduce((sum, each) => sum + each, 0), ...losses };
  },
  fights: ({ conf, spec }) =>
    runFights({ conf, pool: spec.pool, seed, seconds, clients: 3, hasWorkers, report: every(report) }),
};

for (const name of only) {
  const began = performance.now();
  report(`${name} begins`);
  try {
    const counts = name === "load" ? await load() : await onSmallCluster(name);
    const took = Math.round((performance.now() - began) / 1000);
    console.log(`${name}: no violation in ${took} s (seed ${seed})`);
    console.table(counts);
  } catch (error) {
    process.exitCode = 1;
    console.error(`${name} (seed ${seed}):`, error);
  }
}

async function load(): Promise<object> {
  const { operations, faults, ...counts } = await runCampaign({
    spec: { wire: values.wire },
    ...{ seconds, seed, hold: 4_000, long: true, size: 2 ** 30, hasWorkers, report },
  });
  return { ...operations, ...faults, ...counts };
}

async function onSmallCluster(name: string): Promise<object> {
  const campaign = campaigns[name];
  if (campaign === undefined) throw new Error(`there is no campaign ${name}`);
  await using ceph = await LocalCluster.up({
    ...{ name: `soak-rbd-${name}-${process.pid}`, osds: 2, replicas: 1, store: "memstore", pgs: 8, settings },
  });
  return await campaign(ceph);
}

/** Prints one in twenty of frequent lines. */
function every(tell: (line: string) => void): (line: string) => void {
  let told = 0;
  return (line) => {
    if (told++ % 20 === 0) tell(line);
  };
}
