import type { LocalCluster } from "@siphon/lab";
import type { Cluster } from "@siphon/rados";
import type { Random } from "../../../../rados/test/support/random.ts";
import { until } from "../../../support/until.ts";
import type { SocketCuts } from "./socket-cuts.ts";

/** The target of a fault. */
export interface FaultStage {
  ceph: LocalCluster;
  /** A separate handle, not used by the load. */
  admin: Cluster;
  /** The load's. */
  cluster: Cluster;
  cuts: Pick<SocketCuts, "active" | "cuts">;
  random: Random;
  /** Name of the load's pool. */
  pool: string;
  /** Milliseconds that a fault lasts; an OSD is stopped at least this long, and with `long` for 20 s. */
  hold: number;
  long: boolean;
}

/** Causes the fault, and repairs it before it returns. */
export type Fault = (stage: FaultStage) => Promise<void>;

export const faults = {
  "OSD killed and started": async ({ ceph, random, hold }) => {
    const osd = `osd.${random.below(ceph.osdPids.length)}`;
    await ceph.killDaemon(osd);
    await pause(hold);
    await ceph.startDaemon(osd);
  },

  "OSD marked down": async ({ ceph, admin, random }) => {
    const osd = random.below(ceph.osdPids.length);
    await admin.run({ prefix: "osd down", ids: [`${osd}`] });
    await until(async () => (await admin.latestOsdMap()).isUp(osd));
  },

  "OSD out and in": async ({ ceph, admin, random, hold }) => {
    const ids = [`${random.below(ceph.osdPids.length)}`];
    await admin.run({ prefix: "osd out", ids });
    await pause(2 * hold);
    await admin.run({ prefix: "osd in", ids });
  },

  "PGs split": async ({ admin, pool, hold }) => {
    const { pgNum } = (await admin.latestOsdMap()).poolByName(pool)!;
    const wanted = pgNum >= mostPgs ? fewestPgs : pgNum * 2;
    await admin.run({ prefix: "osd pool set", pool, var: "pg_num", val: `${wanted}` });
    // A split is done at once; merges continue in the background.
    await pause(hold);
  },

  "OSD stopped for a while": async ({ ceph, random, hold, long }) => {
    const pid = random.pick(ceph.osdPids);
    process.kill(pid, "SIGSTOP");
    try {
      await pause(long ? 20_000 : hold);
    } finally {
      process.kill(pid, "SIGCONT");
    }
  },

  "monitor of the session killed": async ({ ceph, cluster, hold }) => {
    const name = cluster.currentMon;
    // Known only by its address, until the first session has received the names.
    const mon = name?.startsWith("mon.") ? name : "mon.a";
    await ceph.killDaemon(mon);
    await pause(hold);
    await ceph.startDaemon(mon);
  },

  "sockets of the daemons fail": async ({ admin, hold }) => {
    const setting = { who: "osd", name: "ms_inject_socket_failures" };
    await admin.run({ prefix: "config set", ...setting, value: "300" });
    await pause(2 * hold);
    await admin.run({ prefix: "config rm", ...setting });
  },

  "our sockets cut": async ({ cuts, hold }) => {
    cuts.active = true;
    await pause(2 * hold);
    cuts.active = false;
  },

  "pool full and freed": async ({ admin, pool, hold }) => {
    const quota = (value: string) =>
      admin.run({ prefix: "osd pool set-quota", pool, field: "max_bytes", val: value });
    const isFull = async () => {
      const map = await admin.latestOsdMap();
      return map.isFull(map.poolByName(pool)!);
    };
    await quota("1");
    await until(isFull);
    await pause(hold);
    await quota("0");
    await until(async () => !(await isFull()));
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

const fewestPgs = 8;
const mostPgs = 32;

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
