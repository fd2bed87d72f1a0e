import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createImage, LocalCluster } from "@siphon/lab";
import { blockBytes } from "../../support/attach/checked-load.ts";
import { connectDisk } from "../../support/attach/disk-client.ts";
import { run } from "../../support/attach/run.ts";
import { SiphonAttach } from "../../support/attach/siphon-attach.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-hand-over-"));
let ceph: LocalCluster;

before(async () => {
  process.env.SIPHON_STATE_DIR = join(directory, "state");
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
  ceph = await LocalCluster.up({ name: "hand-over", ...spec });
});

after(async () => {
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

const block = (byte: number) => Buffer.alloc(blockBytes, byte);

for (const transport of ["vhost", "nbd"] as const) {
  test(`over ${transport} a disk's lock follows its VM to the other server and back, and never do two servers write`, async () => {
    const image = `${ceph.client.pool}/${transport}`;
    await createImage(ceph.admin, { image: transport, size: 64 << 20 });
    const socketOf = (host: number) => join(directory, `${transport}${host}`);
    const serve = (host: number) =>
      SiphonAttach.start(image, `--${transport}`, socketOf(host), "--migratable", "--conf", ceph.conf);
    const owner = async () => {
      const locks = await run("rbd", ["-c", ceph.conf, "lock", "ls", "--format", "json", image]);
      return JSON.parse(locks).map(({ address }: { address: string }) => address);
    };
    const [source, destination] = await Promise.all([serve(0), serve(1)]);
    try {
      // The server does not lock a disk that no client uses.
      assert.deepEqual(await owner(), []);
      using here = await connectDisk(transport, socketOf(0), image);
      await here.write(0, block(1));
      const atSource = await owner();
      using there = await connectDisk(transport, socketOf(1), image);
      let isWritten = false;
      const written = there.write(blockBytes, block(2)).then(() => {
        isWritten = true;
      });
      while (!destination.errors.includes("another client keeps its lock")) await pause(20);
      for (let byte = 3; byte < 13; byte++) await here.write(0, block(byte));
      assert.deepEqual([isWritten, await owner()], [false, atSource]);
      await here.stop();
      await written;
      const atDestination = await owner();
      assert.notDeepEqual(atDestination, atSource);
      assert.match(destination.errors, /its lock was given away; writes go on/);
      assert.ok((await there.read(0, blockBytes)).equals(block(12)));
      // A migration that fails at its end does this.
      await there.stop();
      await here.goOn();
      assert.ok((await here.read(blockBytes, blockBytes)).equals(block(2)));
      await here.write(blockBytes, block(13));
      assert.deepEqual(await owner(), atSource);
      await here.stop();
    } finally {
      await Promise.all([source.stop(), destination.stop()]);
    }
  });
}

test("a disk without an exclusive lock cannot migrate", async () => {
  const image = `${ceph.client.pool}/unlocked`;
  await ceph.admin.rbd(["create", "--size", "4M", "--image-feature", "layering", image]);
  const socket = join(directory, "unlocked");
  await assert.rejects(
    SiphonAttach.start(image, "--nbd", socket, "--migratable", "--conf", ceph.conf),
    /cannot migrate: it has no exclusive lock/,
  );
});
