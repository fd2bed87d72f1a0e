import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { cachePolicies } from "@siphon/rbd";
import { LibrbdClient } from "../../support/rbd/differential/librbd-client.ts";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";
import { DifferentialFailure, runDifferential } from "../../support/rbd/differential/run.ts";
import { SiphonClient } from "../../support/rbd/differential/siphon-client.ts";

const [user, pool] = ["client.libvirt", "libvirt-pool"];
const stepsEach = 42;
let cluster: LocalCluster;

before(async () => {
  cluster = await LocalCluster.up({ name: `rbd-differential-${process.pid}`, osds: 1, store: "memstore" });
});

after(() => cluster?.[Symbol.asyncDispose]());

/** Feature bits: object-map, fast-diff and deep-flatten; only the lock; neither. */
const images = { "with an object map": 1 | 4 | 8 | 16 | 32, "with a lock": 1 | 4 | 32, "without a lock": 1 };
const seeds = [11, 12, 13, 14];
/** Caches of our client. They are small, so pages are evicted and writes wait. */
const caches = [false, ...cachePolicies] as const;

for (const [what, features] of Object.entries(images)) {
  for (const [index, seed] of seeds.entries()) {
    const policy = caches[index]!;
    const cached = policy ? `with our cache on ${policy}` : "without a cache";
    test(`whatever we and librbd do to an image ${what}, ${cached}, both read the right data: seed ${seed}`, async () => {
      const cache = policy && { policy, size: 512 * 1024, maxDirty: 256 * 1024 };
      await using siphon = await SiphonClient.connect(cluster.conf, user, pool, { cache });
      await using librbd = new LibrbdClient(cluster.conf, user, pool);
      const prefix = `${what.replaceAll(" ", "-")}-${seed}`;
      try {
        await runDifferential({
          ...{ seed, features, prefix, steps: stepsEach, clients: { siphon, librbd } },
          check: async (image) => {
            assert.deepEqual(await objectMapErrors(cluster.conf, user, `${pool}/${image.name}`, image), []);
          },
        });
      } catch (error) {
        if (error instanceof DifferentialFailure) console.error(JSON.stringify(error.steps));
        throw error;
      }
    });
  }
}
