/**
 * Serves RBD images under a load that records acknowledged writes: kills the serving process repeatedly, restarts the
 * service, and then causes every kind of adversity in turn until the time is up. Ends with an error at the first failed
 * request, at the first block that is older than its last acknowledged write, and if a process ends or needs too much
 * memory.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalCluster } from "@siphon/lab";
import { begin, count, flag, text } from "../../program.ts";
import { adversities, type Happened, slowAdversities } from "../../support/attach/adversity/adversities.ts";
import type { CheckedLoad } from "../../support/attach/checked-load.ts";
import { surviveRestarts } from "../../support/attach/service-survival.ts";
import { surviveKills, type Transport } from "../../support/attach/survival.ts";

const values = await begin(
  "soak:attach",
  "Serves RBD images under a load that records acknowledged writes, through kills, restarts and adversity.",
  {
    kills: count("kills of the serving process", 100, 0),
    restarts: count("restarts of the service", 100, 0),
    minutes: count("duration of the adversity", 30, 0),
    nbd: flag("only over NBD"),
    vhost: flag("only over vhost-user-blk"),
    only: text("words", "only the kinds of adversity with these words in their name", ""),
    except: text("words", "all but the kinds with these words in their name"),
  },
);
await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "attach-"));
stack.defer(() => rm(directory, { recursive: true, force: true }));
const ceph = stack.use(
  await LocalCluster.up({
    ...{ name: `soak-attach-${process.pid}`, osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 },
    // The next server waits this long for the lock of the killed one.
    settings: { osd_client_watch_timeout: 6 },
  }),
);
await killAll(values.kills);
await restartAll(values.restarts);
await adverse(values.minutes * 60_000);

async function killAll(kills: number): Promise<void> {
  const both = values.nbd === values.vhost;
  const transports: Transport[] = both ? ["nbd", "vhost"] : [values.nbd ? "nbd" : "vhost"];
  for (const transport of kills > 0 ? transports : []) {
    const { acknowledged, verified } = await surviveKills(ceph, {
      ...{ transport, directory, kills },
      onKill: (killed, load) => {
        if (killed % 10 === 0)
          console.log(`${transport}: ${killed} kills, ${load.acknowledged} writes acknowledged`);
      },
    });
    console.log(
      `${transport}: ${kills} kills, ${acknowledged} writes acknowledged, 0 lost; ${verified} reads found what was written last`,
    );
  }
}

/** Half of the restarts use a service whose sockets systemd keeps, the other half one with shards. */
async function restartAll(restarts: number): Promise<void> {
  if (restarts === 0) return;
  for (const keepsSockets of [true, false]) {
    const name = keepsSockets ? "service whose sockets are kept" : "service with 2 shards";
    const count = Math.ceil(restarts / 2);
    const loads = await surviveRestarts(ceph, {
      ...{ directory, restarts: count, shards: keepsSockets ? 1 : 2, keepsSockets },
      onRestart: (restarted, loads) => {
        if (restarted % 10 === 0) console.log(`${name}: ${restarted} restarts, ${acknowledgedBy(loads)}`);
      },
    });
    console.log(`${name}: ${count} restarts, half of them kills, ${acknowledgedBy(loads)}, 0 lost`);
  }
}

function acknowledgedBy(loads: readonly CheckedLoad[]): string {
  return `${loads.reduce((sum, { acknowledged }) => sum + acknowledged, 0)} writes acknowledged`;
}

function isExcepted(name: string): boolean {
  return values.except !== undefined && name.includes(values.except);
}

/** Runs each kind in turn; each runs at least once unless the time is zero. */
async function adverse(milliseconds: number): Promise<void> {
  const chosen = [...adversities, ...slowAdversities].filter(
    ({ name }) => name.includes(values.only) && !isExcepted(name),
  );
  const sums = new Map<string, Happened>();
  const end = performance.now() + milliseconds;
  for (let round = 1; performance.now() < end; round++) {
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
}
