/**
 * Migrates VMs there and back between two servers of their disks, under a load in the guest that verifies its writes,
 * and measures the guest's downtime. A round migrates once each way, over each transport in turn, and with librbd in
 * QEMU for comparison; the other VMs are stopped meanwhile. `--failures` of the rounds also have failures: before each
 * of the two, one migration is cancelled and one loses its destination: the first time while memory is sent, the second
 * time when the guest is already stopped. Ends with an error if the guest reads wrong data or sees an error.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalCluster } from "@siphon/lab";
import { begin, count, words } from "../../program.ts";
import type { Way } from "../../support/attach/migration-hosts.ts";
import { type Migrated, Migrations } from "../../support/attach/migrations.ts";

const values = await begin(
  "soak:migration",
  "Migrates VMs there and back between two servers of their disks, and measures the downtime.",
  {
    rounds: count("rounds, each with a migration there and back", 50),
    failures: count("rounds with failures", 10, 0),
    only: words(["vhost", "nbd", "librbd"], "which transports"),
  },
);
const { rounds, failures, only: ways } = values;
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
/** Milliseconds: QEMU's own. */
const usualDowntimeLimit = 300;
const all: Soaked[] = [];
for (const way of ways) {
  const options = { ceph, directory, ways: [way], downtimeLimit: usualDowntimeLimit };
  const migrations = stack.use(await Migrations.begin(options));
  await migrations.rest();
  all.push({ way, migrations, migrated: [], failed: 0 });
}
for (let round = 1; round <= rounds; round++) {
  const fails = Math.floor((round * failures) / rounds) > Math.floor(((round - 1) * failures) / rounds);
  for (const each of all) {
    await each.migrations.resume();
    await migrateBothWays(each, fails);
    await each.migrations.rest();
    const { way, migrated, failed } = each;
    console.log(`${way}: ${migrated.length} migrations, ${failed} given up or failed; ${describe(migrated)}`);
  }
}
for (const { way, migrations } of all) {
  await migrations.resume();
  await migrations.end();
  console.log(`${way}: 0 lost`);
}

interface Soaked {
  way: Way;
  migrations: Migrations;
  migrated: Migrated[];
  /** Migrations that were given up or failed. */
  failed: number;
}

async function migrateBothWays(soaked: Soaked, fails: boolean): Promise<void> {
  const { migrations, migrated } = soaked;
  for (const moment of ["running", "stopped"] as const) {
    if (fails) {
      await migrations.cancel(moment);
      await migrations.loseDestination(moment);
      soaked.failed += 2;
    }
    migrated.push(await migrations.complete());
  }
}

/** Medians and maxima, in milliseconds. */
function describe(migrated: readonly Migrated[]): string {
  const of = (what: keyof Migrated) => {
    const sorted = migrated.map((each) => each[what]).sort((a, b) => a - b);
    return `${Math.round(sorted[sorted.length >> 1]!)} (at most ${Math.round(sorted.at(-1)!)})`;
  };
  return `downtime ${of("downtime")} ms, longest write ${of("longestWrite")} ms, in all ${of("total")} ms`;
}
