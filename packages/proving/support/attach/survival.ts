import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createImage, type LocalCluster } from "@siphon/lab";
import { blockBytes, CheckedLoad } from "./checked-load.ts";
import { run } from "./run.ts";
import { SiphonAttach } from "./siphon-attach.ts";
import { nbdSurvivor, vhostSurvivor } from "./survivors.ts";

export type Transport = "nbd" | "vhost";

/** How an image is served. */
export interface ServeOptions {
  transport: Transport;
  /** Directory for sockets. */
  directory: string;
  /** Further arguments of `siphon attach`. */
  args?: readonly string[];
  /** Maximum number of open files of the server. */
  openFiles?: number | undefined;
}

export interface SurvivalOptions extends ServeOptions {
  kills: number;
  onKill?: (killed: number, load: CheckedLoad) => void;
}

/** An image served under a checked load by a process that may be killed. */
export interface Trial {
  readonly load: CheckedLoad;
  /** The image as `POOL/IMAGE`, and its id. */
  readonly image: string;
  readonly id: string;
  readonly socket: string;
  /** Directory for files. */
  readonly directory: string;
  /** The process that serves now. */
  readonly server: SiphonAttach;
  /** Kills the server, and starts the next. */
  killServer(): Promise<void>;
}

/**
 * Serves a new image under a load that verifies acknowledged writes, runs `trial`, and finally compares the image, as
 * librbd reads it, with the load's record: every acknowledged write and nothing else. Throws if they differ or a
 * request failed.
 */
export async function survive(
  ceph: LocalCluster,
  { transport, directory, args = [], openFiles }: ServeOptions,
  trial: (trial: Trial) => Promise<void>,
): Promise<CheckedLoad> {
  const image = `survival-${transport}`;
  const own = await mkdtemp(join(directory, image));
  const socket = join(own, "disk.sock");
  const spec = `${ceph.client.pool}/${image}`;
  await createImage(ceph.admin, { image, size: 64 << 20 });
  const serve = () =>
    SiphonAttach.start({ openFiles, args: [spec, `--${transport}`, socket, "--conf", ceph.conf, ...args] });
  await using stack = new AsyncDisposableStack();
  let server = await serve();
  stack.defer(() => server.kill());
  const vm = stack.use(await (transport === "nbd" ? nbdSurvivor(socket, spec) : vhostSurvivor(socket)));
  const load = new CheckedLoad(vm.lanes, 2048);
  const { id } = JSON.parse(await run("rbd", ["-c", ceph.conf, "info", "--format", "json", spec]));
  await trial({
    ...{ load, image: spec, id, socket, directory: own },
    get server() {
      return server;
    },
    async killServer() {
      vm.lost();
      await server.kill();
      server = await serve();
      await vm.found();
    },
  });
  await load.stop();
  await server.stop();
  const file = join(own, "exported.raw");
  await run("rbd", ["-c", ceph.conf, "export", "--no-progress", spec, file]);
  const same = ["--bytes", String(load.blocks * blockBytes), file, "-"];
  await run("cmp", same, load.contents());
  await run("rbd", ["-c", ceph.conf, "rm", "--no-progress", spec]);
  return load;
}

/** Kills the server repeatedly, at random moments. */
export async function surviveKills(
  ceph: LocalCluster,
  { transport, directory, kills, onKill = () => {} }: SurvivalOptions,
): Promise<CheckedLoad> {
  return survive(ceph, { transport, directory }, async ({ load, killServer }) => {
    for (let killed = 1; killed <= kills; killed++) {
      await load.goesOn();
      await pause(Math.random() * 300);
      await killServer();
      onKill(killed, load);
    }
    assert.ok(load.verified > 0);
  });
}
