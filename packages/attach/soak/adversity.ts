/**
 * Serves an image under a checked load while everything goes wrong that others can do: `node adversity.ts [--minutes N] [--only WORDS]`. Each
 * kind in turn, until the time is up. Ends with an error at the first request that fails or block that is lost.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { adversities, type Happened } from "../test/support/adversity/adversities.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "30" }, only: { type: "string", default: "" } },
});
await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "siphon-soak-adversity-"));
stack.defer(() => rm(directory, { recursive: true, force: true }));
const ceph = stack.use(
  await LocalCluster.up({
    ...{ name: `soak-adversity-${process.pid}`, osds: 1, replicas: 1, store: "memstore" },
    ...{ auth: "cephx", pgs: 8 },
  }),
);
const chosen = adversities.filter(({ name }) => name.includes(values.only));
const sums = new Map<string, Happened>();
const end = performance.now() + Number(values.minutes) * 60_000;
for (let round = 1; round === 1 || performance.now() < end; round++) {
  for (const { name, happens } of chosen) {
    const sum: Happened = sums.get(name) ?? { rounds: 0 };
    const happened = await happens({ ceph, directory, seconds: 10 });
    sum.rounds!++;
    for (const [what, value] of Object.entries(happened)) {
      sum[what] = what === "memory" ? Math.max(sum[what] ?? 0, value) : (sum[what] ?? 0) + value;
    }
    sums.set(name, sum);
  }
  console.log(`round ${round}`);
  for (const [name, sum] of sums) console.log(`  ${name}: ${JSON.stringify(sum)}`);
}
