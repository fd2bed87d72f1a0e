import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClusterSpecInput } from "@siphon/lab";
import { Cluster, type ConnectionEvent, type MonEvent } from "@siphon/rados";
import { Random } from "../../../../rados/test/support/random.ts";
import { patientClients, upForTest } from "../../../support/rados/live-modes.ts";
import { until } from "../../../support/until.ts";
import type { FaultName } from "./faults.ts";
import { ObjectLoad } from "./object-load.ts";
import { runRounds } from "./rounds.ts";
import { SocketCuts } from "./socket-cuts.ts";
import { WatchLoad } from "./watch-load.ts";

export interface CampaignOptions {
  spec: ClusterSpecInput;
  /** Minimum duration; each fault of the list occurs at least once. */
  seconds: number;
  /** Seconds that tickets last. */
  ticketLifetime: number;
  /** Milliseconds that a fault lasts. */
  hold: number;
  /** OSDs are stopped for 20 s. */
  long: boolean;
  seed: number;
  /** Called as each fault begins. */
  report?: (line: string) => void;
}

export interface CampaignResult {
  operations: ObjectLoad["counts"];
  watching: WatchLoad["counts"];
  faults: Partial<Record<FaultName, number>>;
  connectionsLost: number;
  socketsCut: number;
  ticketRenewals: number;
  seconds: number;
}

/**
 * One fault after the other under load, in an order derived from the seed; after each the load must go on.
 *
 * @throws Violation, or the first error of an operation: no operation may fail
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { spec, seconds, ticketLifetime, hold, long, seed, report = () => {} } = options;
  const began = performance.now();
  const random = new Random(seed);
  const settings = {
    auth_mon_ticket_ttl: ticketLifetime,
    auth_service_ticket_ttl: ticketLifetime,
    ...patientClients,
    ...spec.settings,
  };
  const large = { mons: 3, osds: 3, replicas: 2, store: "bluestore", auth: "cephx" } as const;
  await using ceph = await upForTest(`rados-faults-${seed}`, { ...large, ...spec, settings });
  const cuts = new SocketCuts(random);
  const identity = { conf: ceph.conf, name: "client.admin", env: {} };
  await using admin = await Cluster.connect(identity);
  await admin.createPool({ name: poolName, pgs: 8, size: 2 });
  const result = { connectionsLost: 0, ticketRenewals: 0 };
  const lost = (event: unknown) => {
    if ((event as ConnectionEvent).event === "lost") result.connectionsLost++;
  };
  const renewed = (event: unknown) => {
    if ((event as MonEvent).event === "tickets") result.ticketRenewals++;
  };
  subscribe("siphon:rados:connection", lost);
  subscribe("siphon:rados:mon", renewed);
  const stop = new AbortController();
  try {
    await using cluster = await Cluster.connect({ ...identity, openTransport: cuts.open });
    const pool = await cluster.pool(poolName);
    const load = new ObjectLoad(pool, random);
    const watching = new WatchLoad(pool);
    const failed = new AbortController();
    const both = Promise.all([load.run(stop.signal), watching.run(stop.signal)]);
    const running = both.catch((error) => {
      failed.abort(error);
      throw error;
    });
    running.catch(() => {});
    const stage = { ceph, admin, cluster, cuts, random, pool: poolName, hold, long };
    const counts = await runRounds(stage, {
      ...{ seconds, report },
      goesOn: () => {
        const before = load.operations;
        return until(() => load.operations > before + 200, {
          signal: failed.signal,
          progress: () => load.operations,
        });
      },
    });
    stop.abort();
    await running;
    await using other = await Cluster.connect(identity);
    await load.verify(await other.pool(poolName));
    return {
      ...{ operations: load.counts, watching: watching.counts, faults: counts },
      ...{ ...result, socketsCut: cuts.cuts },
      seconds: Math.round((performance.now() - began) / 1000),
    };
  } finally {
    stop.abort();
    unsubscribe("siphon:rados:connection", lost);
    unsubscribe("siphon:rados:mon", renewed);
  }
}

const poolName = "faults";
