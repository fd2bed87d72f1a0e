import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createImage, type LocalCluster } from "@siphon/lab";
import { FloodingGuest } from "../../../../attach/test/support/flooding-guest.ts";
import { NbdClient } from "../../../../attach/test/support/nbd-client.ts";
import { frozen } from "../../frozen.ts";
import type { CheckedLoad } from "../checked-load.ts";
import { run } from "../run.ts";
import { SiphonAttach } from "../siphon-attach.ts";
import { survive } from "../survival.ts";
import { notifyForEver } from "./notifiers.ts";
import { SlowReaders } from "./slow-readers.ts";

export interface Stage {
  ceph: LocalCluster;
  /** Directory for sockets. */
  directory: string;
  /** Duration in seconds, in addition to the minimum. */
  seconds: number;
}

/** Counts of events; each happened at least once. */
export type Happened = Record<string, number>;

/** An event that must not disturb clients, worded as the end of a sentence. */
export interface Adversity {
  name: string;
  /** Throws if data was lost, a request failed or the server ended. */
  happens(stage: Stage): Promise<Happened>;
}

const notified: Adversity = {
  name: "while a user who may only read notifies the image's watchers of sense and nonsense",
  async happens({ ceph, directory, seconds }) {
    let sent = 0;
    const load = await survive(ceph, { transport: "nbd", directory }, async ({ load, id }) => {
      await using notifiers = await notifyForEver(ceph, id);
      await pause(seconds * 1000);
      await load.goesOn();
      sent = notifiers.sent;
    });
    return { notifications: sent, acknowledged: load.acknowledged };
  },
};

const paused: Adversity = {
  name: "while OSDs pause longer than requests may take, whatever it was about to read of the header",
  async happens({ ceph, directory, seconds }) {
    const own = await mkdtemp(join(directory, "paused-"));
    const socket = join(own, "disk.sock");
    const spec = `${ceph.client.pool}/paused`;
    const { path: conf } = await ceph.clientConf("paused", { rados_osd_op_timeout: "1" }, "admin");
    await createImage(ceph.admin, { image: "paused", size: 64 << 20 });
    const { id } = JSON.parse(await run("rbd", ["-c", ceph.conf, "info", "--format", "json", spec]));
    await using stack = new AsyncDisposableStack();
    const server = await SiphonAttach.start(spec, "--nbd", socket, "--conf", conf);
    stack.defer(() => server.kill());
    let pauses = 0;
    const waits = () => server.errors.match(/writes wait/g)?.length ?? 0;
    const end = performance.now() + seconds * 1000;
    {
      await using _ = await notifyForEver(ceph, id, "changes");
      // Whether a pause coincides with a read of the header depends on chance.
      while (pauses < 3 || (waits() === 0 && pauses < 40) || performance.now() < end) {
        await pause(Math.random() * 500);
        using _ = await frozen(ceph.osdPids);
        await pause(1500);
        pauses++;
      }
    }
    const size = 96 << 20;
    await run("rbd", ["-c", ceph.conf, "resize", "--no-progress", "--size", `${size}B`, spec]);
    const client = await NbdClient.connect(socket);
    await client.go(spec);
    client.send({ type: 1, offset: size - 4096, payload: Buffer.alloc(4096, 7) });
    assert.equal((await client.simpleReply()).error, 0, "the image is as large as its header says");
    client.socket.destroy();
    assert.ok(server.isRunning, server.errors);
    const waited = waits();
    await server.stop();
    await run("rbd", ["-c", ceph.conf, "rm", "--no-progress", spec]);
    return { pauses, waited };
  },
};

const slowReaders: Adversity = {
  name: "while clients ask for all they can and read no answers, in bounded memory",
  async happens({ ceph, directory, seconds }) {
    let [asked, memory] = [0, 0];
    const load = await survive(
      ceph,
      { transport: "nbd", directory },
      async ({ load, image, socket, server }) => {
        const before = server.memory.now;
        for (const end = performance.now() + seconds * 1000; asked === 0 || performance.now() < end; ) {
          using readers = await SlowReaders.connect(socket, image, 20);
          asked += readers.flood(100);
          await load.goesOn();
        }
        memory = Math.round((server.memory.most - before) / MiB);
        assert.ok(memory < 1024, `${memory} MiB more than before`);
      },
    );
    return { asked, memory, acknowledged: load.acknowledged };
  },
};

const flooded: Adversity = {
  name: "while the VM of another of its disks floods that and stops with all rings full, in bounded memory",
  async happens({ ceph, directory, seconds }) {
    const other = `${ceph.client.pool}/flooded`;
    await createImage(ceph.admin, { image: "flooded", size: 256 * MiB });
    const sockets = ["served", "flooded"].map((name) => join(directory, `${name}.vhost`));
    const args = [other, ...sockets.flatMap((socket) => ["--vhost", socket])];
    let [requests, stops, memory] = [0, 0, 0];
    const load = await survive(ceph, { transport: "nbd", directory, args }, async ({ load, server }) => {
      const before = server.memory.now;
      using guest = new FloodingGuest(sockets[1]!, 1);
      for (const end = performance.now() + seconds * 1000; stops < 3 || performance.now() < end; stops++) {
        await guest.round();
        await load.goesOn(20);
      }
      requests = guest.requests;
      memory = Math.round((server.memory.most - before) / MiB);
      // The mapped memory of the guest counts, too.
      assert.ok(memory < 1024, `${memory} MiB more than before`);
    });
    await run("rbd", ["-c", ceph.conf, "rm", "--no-progress", other]);
    return { requests, stops, memory, acknowledged: load.acknowledged };
  },
};

const outOfFiles: Adversity = {
  name: "while it has no descriptors left and clients storm its sockets, and takes clients again afterwards",
  async happens({ ceph, directory, seconds }) {
    let [storms, refused] = [0, 0];
    const load = await survive(
      ceph,
      { transport: "nbd", directory },
      async ({ load, image, socket, server }) => {
        const { pid } = server.child;
        const limit = (files: number | string) => run("prlimit", ["--pid", `${pid}`, `--nofile=${files}:`]);
        for (
          const end = performance.now() + seconds * 1000;
          storms < 2 || performance.now() < end;
          storms++
        ) {
          // A few more descriptors than the server has open.
          await limit(readdirSync(`/proc/${pid}/fd`).length + 4);
          const idle = await Promise.all(Array.from({ length: 150 }, () => NbdClient.connect(socket)));
          await load.goesOn(20);
          refused += idle.filter(({ isEnded }) => isEnded).length;
          await limit(4096);
          for (const client of idle) client.socket.destroy();
          await entered(socket, image);
        }
      },
    );
    return { storms, refused, acknowledged: load.acknowledged };
  },
};

const fullPools: Adversity = {
  name: "while its pool is nearly full, full, and at the end of its quota: writes wait for room",
  async happens({ ceph, directory }) {
    const { pool } = ceph.client;
    const osd = (...words: string[]) => ceph.admin.command(["osd", ...words]);
    const quota = (bytes: number) => osd("pool", "set-quota", pool, "max_bytes", `${bytes}`);
    const fullness = (state: string) => ceph.admin.command(["tell", "osd.0", "injectfull", state]);
    let held = 0;
    const load = await survive(ceph, { transport: "nbd", directory }, async ({ load, server }) => {
      await fullness("nearfull");
      await load.goesOn();
      for (const [begin, end] of [
        [() => fullness("full"), () => fullness("none")],
        [() => quota(1), () => quota(0)],
      ] as const) {
        await begin();
        await standsStill(load);
        held++;
        assert.ok(server.isRunning, server.errors);
        await end();
        await load.goesOn();
      }
    });
    return { held, acknowledged: load.acknowledged };
  },
};

/** Waits until no more writes are acknowledged. */
async function standsStill(load: CheckedLoad): Promise<void> {
  for (let [seen, tries] = [-1, 0]; load.acknowledged !== seen; tries++) {
    assert.ok(tries < 60, "a full pool takes writes for ever");
    seen = load.acknowledged;
    await pause(1500);
  }
  await load.check();
}

/** Waits until a client can connect. */
async function entered(socket: string, exportName: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const client = await NbdClient.connect(socket);
    const isIn = await client.go(exportName).then(
      () => true,
      () => false,
    );
    client.socket.destroy();
    if (isIn) return;
    assert.ok(tries < 100, "nobody is let in any more");
    await pause(50);
  }
}

const MiB = 1 << 20;

export const adversities: readonly Adversity[] = [notified, paused, slowReaders, flooded, outOfFiles];
/** Adversities of the cluster that take long, for the campaign. */
export const slowAdversities: readonly Adversity[] = [fullPools];
