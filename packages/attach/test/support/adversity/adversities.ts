import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createImage, type LocalCluster } from "@siphon/lab";
import { NbdClient } from "../nbd-client.ts";
import { run } from "../run.ts";
import { SiphonAttach } from "../siphon-attach.ts";
import { survive } from "../survival.ts";
import { notifyForEver } from "./notifiers.ts";

export interface Stage {
  ceph: LocalCluster;
  /** For sockets. */
  directory: string;
  /** How long it happens, beside what it takes at least. */
  seconds: number;
}

/** What happened how often; all of it happened at least once. */
export type Happened = Record<string, number>;

/** Something that must not disturb whoever is served, as the end of a sentence. */
export interface Adversity {
  name: string;
  /** Throws when anything was lost, a request failed or the server ended. */
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
    const end = performance.now() + seconds * 1000;
    {
      await using _ = await notifyForEver(ceph, id, "changes");
      while (pauses < 3 || performance.now() < end) {
        await pause(Math.random() * 500);
        for (const pid of ceph.osdPids) process.kill(pid, "SIGSTOP");
        await pause(1500);
        for (const pid of ceph.osdPids) process.kill(pid, "SIGCONT");
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
    const waited = server.errors.match(/writes wait/g)?.length ?? 0;
    await server.stop();
    await run("rbd", ["-c", ceph.conf, "rm", "--no-progress", spec]);
    return { pauses, waited };
  },
};

export const adversities: readonly Adversity[] = [notified, paused];
