import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createImage, LocalCluster } from "@siphon/lab";
import { CheckedLoad } from "../../support/attach/checked-load.ts";
import { run } from "../../support/attach/run.ts";
import { SiphonAttach } from "../../support/attach/siphon-attach.ts";
import { nbdSurvivor } from "../../support/attach/survivors.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-shards-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");

const images = ["one", "two"].map((name) => `libvirt-pool/${name}`);
const sockets = ["one", "two"].map((name) => join(directory, `${name}.sock`));
const metrics = join(directory, "metrics.sock");

describe("siphon attach --shards", () => {
  let ceph: LocalCluster;
  let server: SiphonAttach | undefined;

  before(async () => {
    const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
    // Seconds after which a killed shard no longer counts as alive, and its locks can be taken.
    const settings = { osd_client_watch_timeout: 5 };
    ceph = await LocalCluster.up({ name: "shards", ...spec, settings });
    for (const image of ["one", "two"]) await createImage(ceph.admin, { image, size: 64 << 20 });
  });

  afterEach(() => server?.kill());

  after(async () => {
    await ceph?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  async function attach(...args: string[]): Promise<SiphonAttach> {
    const nbd = sockets.flatMap((socket) => ["--nbd", socket]);
    const more = ["--shards", "2", "--metrics", metrics, "--conf", ceph.conf, ...args];
    server = await SiphonAttach.start(...images, ...nbd, ...more);
    return server;
  }

  const locks = async () => {
    const listed = images.map((image) => run("rbd", ["-c", ceph.conf, "lock", "ls", image]));
    return (await Promise.all(listed)).join("");
  };

  /** Waits until the processes are gone. */
  async function gone(pids: readonly number[]): Promise<void> {
    for (let tries = 0; pids.some((pid) => existsSync(`/proc/${pid}`)); tries++) {
      assert.ok(tries < 1200, "shards go on without the process that started them");
      await pause(50);
    }
  }

  test("a shard that is killed, or hangs, is restarted and its VM runs on; the other VM notices nothing", async () => {
    // On a busy machine a healthy shard answers within this time.
    const attached = await attach("--shard-timeout", "10");
    assert.deepEqual(
      attached.told.map(({ image }) => image),
      images,
    );
    const [first, second] = attached.shards;
    await using stack = new AsyncDisposableStack();
    const loads: CheckedLoad[] = [];
    for (const [i, image] of images.entries()) {
      const vm = stack.use(await nbdSurvivor(sockets[i]!, image));
      loads.push(new CheckedLoad(vm.lanes, 2048));
    }
    const [one, two] = loads as [CheckedLoad, CheckedLoad];
    await Promise.all([one.goesOn(), two.goesOn()]);
    process.kill(first!, "SIGKILL");
    await two.goesOn();
    await one.goesOn();
    const hanging = attached.shards.find((pid) => pid !== second)!;
    process.kill(hanging, "SIGSTOP");
    await gone([hanging]);
    await two.goesOn();
    await one.goesOn();
    await Promise.all([one.stop(), two.stop()]);
    assert.ok(attached.shards.includes(second!) && !attached.shards.includes(first!));
    const page = await new Promise<string>((resolve, reject) => {
      get({ socketPath: metrics, path: "/metrics" }, (response) => resolve(text(response))).on(
        "error",
        reject,
      );
    });
    assert.match(page, /^siphon_attach_shard_restarts_total\{shard="1"\} 2$/m);
    assert.match(page, /^siphon_attach_shard_restarts_total\{shard="2"\} 0$/m);
    for (const image of images) {
      assert.match(page, new RegExp(`operations_total\\{image="${image}",operation="write"\\} [1-9]`));
    }
    assert.match(attached.errors, /shard 1 \(libvirt-pool\/one\) was killed by SIGKILL/);
    assert.match(attached.errors, /shard 1 \(libvirt-pool\/one\) did not answer for 10 s and was killed/);
  });

  test("when asked to end, the parent ends its shards in order and leaves nothing behind", async () => {
    const attached = await attach();
    const pids = attached.shards;
    assert.notEqual(await locks(), "");
    await attached.stop();
    assert.ok(pids.every((pid) => !existsSync(`/proc/${pid}`)));
    assert.ok([...sockets, metrics].every((socket) => !existsSync(socket)));
    assert.equal(await locks(), "");
  });

  test("when the parent is killed, its shards end in order by themselves", async () => {
    const attached = await attach();
    const pids = attached.shards;
    await attached.kill();
    await gone(pids);
    assert.ok(sockets.every((socket) => !existsSync(socket)));
    assert.equal(await locks(), "");
  });

  test("an image that cannot be served ends all shards, with a clear message", async () => {
    const nbd = sockets.flatMap((socket) => ["--nbd", socket]);
    const call = [images[0]!, "libvirt-pool/none", ...nbd, "--shards", "2", "--conf", ceph.conf];
    await assert.rejects(SiphonAttach.start(...call), /siphon: there is no image libvirt-pool\/none/);
    assert.equal(await locks(), "");
    assert.ok(!existsSync(sockets[0]!));
  });
});
