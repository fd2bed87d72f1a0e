/**
 * Migrates VMs there and back between two servers of their disks, under a load in the guest that verifies its writes,
 * and measures the guest's downtime. A round migrates once each way, over each transport in turn; the other VMs are
 * stopped meanwhile. In `--baseline` of the rounds a VM with librbd in QEMU migrates as well, for comparison. In
 * `--failures` of them siphon's VMs also have failures: on each of the two hosts one migration is cancelled and one loses
 * its destination, each time at the next moment of a migration. Ends with an error if the guest reads wrong data or sees
 * an error.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalCluster } from "@siphon/lab";
import { begin, count, text, words } from "../../program.ts";
import type { Way } from "../../support/attach/migration-hosts.ts";
import { cancelMoments, type Moment, moments } from "../../support/attach/migration-moments.ts";
import { type Migrated, Migrations } from "../../support/attach/migrations.ts";

const values = await begin(
  "soak:migration",
  "Migrates VMs there and back between two servers of their disks, and measures the downtime.",
  {
    rounds: count("rounds, each with a migration there and back", 50),
    baseline: count("rounds with librbd in QEMU, for comparison", 10, 0),
    failures: count("rounds with failures", 10, 0),
    only: words(["vhost", "nbd", "librbd"], "which transports"),
    json: text("file", "write the figures of all migrations there"),
  },
);
const { rounds } = values;
/** Whether a round is one of so many that are spread over all of them. */
const isOneOf = (some: number, round: number) =>
  Math.floor((round * some) / rounds) > Math.floor(((round - 1) * some) / rounds);
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

interface Soaked {
  way: Way;
  migrated: (Migrated & { round: number })[];
  cancelled: Moment[];
  lost: Moment[];
}

const all: (Soaked & { migrations: Migrations })[] = [];
for (const way of values.only) {
  const options = { ceph, directory, ways: [way], downtimeLimit: usualDowntimeLimit };
  const migrations = stack.use(await Migrations.begin(options));
  await migrations.rest();
  all.push({ way, migrations, migrated: [], cancelled: [], lost: [] });
}
let failed = 0;
for (let round = 1; round <= rounds; round++) {
  const fails = isOneOf(values.failures, round);
  for (const each of all) {
    const isBaseline = each.way === "librbd";
    if (isBaseline && !isOneOf(values.baseline, round)) continue;
    await each.migrations.resume();
    await migrateThereAndBack(each, round, fails && !isBaseline ? failed : undefined);
    await each.migrations.rest();
    console.log(`round ${round}, ${describe(each)}`);
  }
  if (fails) failed++;
  if (values.json !== undefined) {
    const results = all.map(({ migrations, ...soaked }) => soaked);
    await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
  }
}
for (const { way, migrations } of all) {
  await migrations.resume();
  await migrations.end();
  console.log(`${way}: 0 lost`);
}

/** @param failure number of the round with failures, if this is one */
async function migrateThereAndBack(
  { migrations, migrated, cancelled, lost }: (typeof all)[number],
  round: number,
  failure: number | undefined,
): Promise<void> {
  for (let direction = 0; direction < 2; direction++) {
    if (failure !== undefined) {
      const cancel = cancelMoments[failure % cancelMoments.length]!;
      await migrations.cancel(cancel);
      cancelled.push(cancel);
      const loss = moments[failure % moments.length]!;
      await migrations.loseDestination(loss);
      lost.push(loss);
    }
    migrated.push({ round, ...(await migrations.complete()) });
  }
}

function describe({ way, migrated, cancelled, lost }: Soaked): string {
  const of = (what: keyof Migrated) => medianAndMaximum(migrated.map((each) => each[what]));
  const baseline = all.find((each) => each.way === "librbd" && each.way !== way)?.migrated ?? [];
  // The same direction in the same round.
  const added = baseline.flatMap(({ round, paused }, index) => {
    const same = migrated.filter((each) => each.round === round)[index % 2];
    return same === undefined ? [] : [same.paused - paused];
  });
  return [
    `${way}: ${migrated.length} migrations, ${cancelled.length} cancelled, ${lost.length} lost their destination`,
    `QEMU's downtime ${of("downtime")}`,
    `guest stopped ${of("paused")}${added.length > 0 ? `, more than with librbd ${medianAndMaximum(added)}` : ""}`,
    `longest write ${of("longestWrite")}`,
    `in all ${of("total")}`,
  ].join("; ");
}

/** In milliseconds. */
function medianAndMaximum(figures: readonly number[]): string {
  const sorted = figures.toSorted((a, b) => a - b);
  return `${Math.round(sorted[sorted.length >> 1]!)} (at most ${Math.round(sorted.at(-1)!)}) ms`;
}
