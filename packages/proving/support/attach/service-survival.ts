import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createImage, type LocalCluster } from "@siphon/lab";
import { Attachd, placesIn } from "./attachd.ts";
import { blockBytes, CheckedLoad } from "./checked-load.ts";
import { FdStore } from "./fd-store.ts";
import { run } from "./run.ts";
import { nbdSurvivor, vhostSurvivor } from "./survivors.ts";

export interface RestartOptions {
  /** For the service's files. */
  directory: string;
  restarts: number;
  shards: number;
  /** Keeps the service's sockets while it is restarted, as systemd does. */
  keepsSockets?: boolean;
  onRestart?: (restarted: number, loads: readonly CheckedLoad[]) => void;
}

/**
 * Restarts a service with a disk over NBD and one over vhost-user-blk repeatedly, cleanly and by SIGKILL in turn, under
 * loads that verify acknowledged writes. At the end both images, as librbd reads them, are compared with the loads'
 * records.
 */
export async function surviveRestarts(
  ceph: LocalCluster,
  { directory, restarts, shards, keepsSockets = false, onRestart = () => {} }: RestartOptions,
): Promise<readonly CheckedLoad[]> {
  const names = ["restarted-nbd", "restarted-vhost"] as const;
  const { run: runDirectory } = placesIn(directory);
  await using stack = new AsyncDisposableStack();
  const manager = keepsSockets ? stack.use(new FdStore(join(directory, "notify"))) : undefined;
  const args = ["--shards", String(shards)];
  const start = () => Attachd.start({ directory, conf: ceph.conf, args, ...(manager && { manager }) });
  let service = await start();
  stack.defer(() => service.kill());
  for (const image of names) {
    await createImage(ceph.admin, { image, size: 64 << 20 });
    const nbd = image === names[0] ? ["--nbd", join(runDirectory, `${image}.sock`)] : [];
    await service.ask("add", `${ceph.client.pool}/${image}`, "--as", image, ...nbd);
  }
  const [overNbd, overVhost] = names.map((name) => join(runDirectory, `${name}.sock`)) as [string, string];
  const nbd = stack.use(await nbdSurvivor(overNbd, `${ceph.client.pool}/${names[0]}`));
  const vhost = stack.use(await vhostSurvivor(overVhost));
  const loads = [nbd, vhost].map(({ lanes }) => new CheckedLoad(lanes, 2048));
  for (let restarted = 1; restarted <= restarts; restarted++) {
    await Promise.all(loads.map((load) => load.goesOn()));
    await pause(Math.random() * 300);
    vhost.lost();
    if (restarted % 2 === 0) await service.kill();
    else await service.stop();
    service = await start();
    await service.servesAll();
    await vhost.found();
    onRestart(restarted, loads);
  }
  await Promise.all(loads.map((load) => load.goesOn()));
  await Promise.all(loads.map((load) => load.stop()));
  await service.stop();
  // A further run in the same directory starts afresh.
  await rm(join(runDirectory, "disks.d"), { recursive: true });
  for (const [i, name] of names.entries()) {
    const spec = `${ceph.client.pool}/${name}`;
    const file = join(directory, `${name}.raw`);
    await run("rbd", ["-c", ceph.conf, "export", "--no-progress", spec, file]);
    const contents = loads[i]!.contents();
    await run("cmp", ["--bytes", String(loads[i]!.blocks * blockBytes), file, "-"], contents);
    await rm(file);
    await run("rbd", ["-c", ceph.conf, "rm", "--no-progress", spec]);
    assert.ok(loads[i]!.verified > 0);
  }
  return loads;
}
