import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { LocalCluster } from "@siphon/lab";
import type { CheckedLoad } from "../../support/attach/checked-load.ts";
import { survive, surviveKills, type Transport } from "../../support/attach/survival.ts";
import { frozen } from "../../support/frozen.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-survival-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");

const transports = ["nbd", "vhost"] as const;
let ceph: LocalCluster;

before(async () => {
  ceph = await LocalCluster.up({
    ...{ name: "survival", osds: 1, replicas: 1, store: "bluestore", auth: "cephx", pgs: 8 },
    // Seconds that the next server waits for the lock of a killed one.
    settings: { osd_client_watch_timeout: 6 },
  });
});

after(async () => {
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

/**
 * Runs the same work over all transports at once, and waits for all of them. A failure's message includes the cluster's status,
 * which shows whether the cluster or siphon was stuck.
 */
async function overEach<T>(work: (transport: Transport) => Promise<T>): Promise<T[]> {
  const all = transports.map(work);
  await Promise.allSettled(all);
  return Promise.all(all).catch(async (cause) => {
    const logs = ["mon.a", "osd.0"].map((name) =>
      readFileSync(join(dirname(ceph.conf), `${name}.log`), "utf8"),
    );
    const status = await ceph.status().catch(String);
    const words = [JSON.stringify(status), ...logs.map((log) => log.slice(-2000))];
    throw new Error(`${cause.message}\n${words.join("\n")}`, { cause });
  });
}

/** Serves an image over each transport under load while something happens to the cluster. */
async function surviveBoth(happens: (loads: CheckedLoad[]) => Promise<void>): Promise<void> {
  const loads: CheckedLoad[] = [];
  const begun = Promise.withResolvers<void>();
  const over = begun.promise.then(() => happens(loads));
  await overEach((transport) =>
    survive(ceph, { transport, directory }, async ({ load }) => {
      await load.goesOn();
      if (loads.push(load) === transports.length) begun.resolve();
      await over;
      await load.goesOn();
    }).catch((error) => {
      begun.reject(error);
      throw error;
    }),
  );
}

test("servers that are killed repeatedly lose no acknowledged write, and no request fails", async () => {
  const all = await overEach((transport) => surviveKills(ceph, { transport, directory, kills: 3 }));
  assert.ok(all.every(({ acknowledged }) => acknowledged >= 300));
});

test("an OSD that is killed and restarted only pauses the load", async () => {
  await surviveBoth(async () => {
    await ceph.killDaemon("osd.0");
    await pause(1000);
    await ceph.startDaemon("osd.0");
  });
});

test("a cluster that is unreachable for 30 s pauses the load, and nothing is acknowledged meanwhile", async () => {
  await surviveBoth(async (loads) => {
    using _ = await frozen([...ceph.osdPids, ...ceph.monPids]);
    const counts = () => loads.map(({ acknowledged }) => acknowledged).join();
    // Replies that the cluster gave before it stopped still reach the VMs first.
    let before: string;
    do {
      before = counts();
      await pause(1000);
    } while (counts() !== before);
    await pause(29_000);
    assert.equal(counts(), before);
  });
});
