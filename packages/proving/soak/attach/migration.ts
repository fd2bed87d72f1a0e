/**
 * Migrates a VM there and back between two servers of its disk, under a load in the guest that verifies its writes, and
 * measures the guest's downtime: `node migration.ts [--rounds N] [--only nbd|vhost|librbd]`. A round migrates once each
 * way; before each of the two, one migration is cancelled and one loses its destination: the first time while memory is
 * sent, the second time when the guest is already stopped. QEMU with librbd does the same for comparison. Ends with an
 * error if the guest reads wrong data or sees an error.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { LocalCluster } from "@siphon/lab";
import type { Way } from "../../support/attach/migration-hosts.ts";
import { type Migrated, Migrations } from "../../support/attach/migrations.ts";
import { endOnSignals } from "../end-on-signals.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "50" }, only: { type: "string", default: "" } },
});
await endOnSignals();
await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "m-"));
stack.defer(() => rm(directory, { recursive: true, force: true }));
const ceph = stack.use(
  await LocalCluster.up({
    ...{
      name: `soak-migration-${process.pid}`,
      osds: 1,
      replicas: 1,
      store: "memstore",
      auth: "cephx",
      pgs: 8,
    },
  }),
);
const ways: readonly Way[] = ["vhost", "nbd", "librbd"];
for (const way of ways)
  if (values.only === "" || values.only === way) await migrateAll(way, Number(values.rounds));

async function migrateAll(way: Way, rounds: number): Promise<void> {
  await using migrations = await Migrations.begin({ ceph, directory, ways: [way] });
  const migrated: Migrated[] = [];
  let given = 0;
  for (let round = 1; round <= rounds; round++) {
    for (const moment of ["running", "stopped"] as const) {
      await migrations.cancel(moment);
      await migrations.loseDestination(moment);
      given += 2;
      migrated.push(await migrations.complete());
    }
    console.log(`${way}: ${migrated.length} migrations, ${given} given up or failed; ${describe(migrated)}`);
  }
  await migrations.end();
  console.log(`${way}: 0 lost`);
}

/** Medians and maxima, in milliseconds. */
function describe(migrated: readonly Migrated[]): string {
  const of = (what: keyof Migrated) => {
    const sorted = migrated.map((each) => each[what]).sort((a, b) => a - b);
    return `${Math.round(sorted[sorted.length >> 1]!)} (at most ${Math.round(sorted.at(-1)!)})`;
  };
  return `downtime ${of("downtime")} ms, longest write ${of("longestWrite")} ms, in all ${of("total")} ms`;
}
