import { readFile } from "node:fs/promises";
import { LocalCluster } from "@siphon/lab";
import { type CacheOptions, cachePolicies } from "@siphon/rbd";
import { begin, count, flag, text } from "../../program.ts";
import { LibrbdClient } from "../../support/rbd/differential/librbd-client.ts";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";
import { DifferentialFailure, runDifferential } from "../../support/rbd/differential/run.ts";
import { shrink } from "../../support/rbd/differential/shrink.ts";
import { SiphonClient } from "../../support/rbd/differential/siphon-client.ts";
import type { Step } from "../../support/rbd/differential/steps.ts";
import { goThroughWorkers } from "../../support/rbd/through-workers.ts";

/**
 * Our client and librbd take turns on the same images, 10,000 random steps, a hundred to an image. A failing sequence
 * is shortened and printed as JSON; `--replay FILE` runs such a list again, with the printed `--seed`.
 */
const args = await begin("soak:rbd", "Our client and librbd take turns on the same images.", {
  steps: count("number of steps", 10_000),
  each: count("steps on an image", 100),
  seed: count("seed of the random choices (default: chosen at random)", undefined, 0),
  replay: text("FILE", "run the steps of this file again, with the --seed printed with them"),
  conf: text("FILE", "configuration of an existing cluster, which has a pool libvirt-pool"),
  cache: text("policy", "policy of our cache, none, or all in turn", "all"),
  workers: count("workers of our client's images, which then have no cache"),
  verbose: flag("print each step"),
});
if (args.workers !== undefined) goThroughWorkers(args.workers);
const { each } = args;
const first = args.seed ?? Math.floor(Math.random() * 1e9);
/** Feature bits: all; a lock and deep-flatten; a lock and an object map; only layering. */
const featureSets = [1 | 4 | 8 | 16 | 32, 1 | 4 | 32, 1 | 4 | 8, 1];

await using cluster = args.conf === undefined ? await up() : undefined;
const conf = args.conf ?? cluster!.conf;
const [user, pool] = ["client.libvirt", "libvirt-pool"];
let runs = 0;

if (args.replay !== undefined) {
  await once(first, JSON.parse(await readFile(args.replay, "utf8")) as Step[]);
  console.log("no difference");
} else {
  for (let done = 0, seed = first; done < args.steps; done += each, seed++) {
    try {
      await once(seed);
      console.log(`seed ${seed}: ${each} steps, no difference`);
    } catch (error) {
      if (!(error instanceof DifferentialFailure)) throw error;
      console.error(error.message);
      const steps = await shrink(error.steps, (rest) => fails(seed, rest), 60);
      console.error(`replay with --seed ${seed} --replay FILE:\n${JSON.stringify(steps)}`);
      throw error;
    }
  }
}

/** The cache is small, so pages are evicted and writes wait. */
function cacheOf(seed: number): CacheOptions | false {
  if (args.workers !== undefined) return false;
  const policies = [false, ...cachePolicies] as const;
  const policy =
    policies.find((name) => (name || "none") === args.cache) ?? policies[(seed >> 2) % policies.length];
  return policy ? { policy, size: 512 * 1024, maxDirty: 256 * 1024 } : false;
}

async function once(seed: number, replay?: readonly Step[]): Promise<void> {
  await using siphon = await SiphonClient.connect(conf, user, pool, { cache: cacheOf(seed) });
  await using librbd = new LibrbdClient(conf, user, pool);
  await runDifferential({
    ...{ seed, steps: each, features: featureSets[seed % featureSets.length]!, clients: { siphon, librbd } },
    prefix: `d${process.pid}-${++runs}`,
    ...(replay !== undefined && { replay }),
    check: async (image) => {
      const errors = await objectMapErrors(conf, user, `${pool}/${image.name}`, image);
      if (errors.length > 0) throw new Error(`${image.name}: ${errors.join("\n")}`);
    },
    onStep: (index, step) => {
      if (args.verbose) console.log(index, JSON.stringify(step));
    },
  });
}

async function fails(seed: number, steps: readonly Step[]): Promise<boolean> {
  try {
    await once(seed, steps);
    return false;
  } catch (error) {
    return error instanceof DifferentialFailure;
  }
}

function up(): Promise<LocalCluster> {
  return LocalCluster.up({ name: `soak-rbd-${process.pid}`, osds: 1, store: "memstore" });
}
