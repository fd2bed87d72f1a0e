import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Load } from "../../../src/baseline/engine.ts";
import { requestOf, siphonLibrary } from "../../../src/baseline/siphon/library.ts";
import { runLoad } from "../../../src/baseline/siphon/load-process.ts";
import { siphonNbd } from "../../../src/baseline/siphon/nbd.ts";
import type { BaselineTarget } from "../../../src/baseline/target.ts";
import { CephClient } from "../../../src/ceph/client.ts";
import { LabError } from "../../../src/errors.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-load-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const load: Load = { rw: "randread", blockSize: 16_384, ioDepth: 128, seconds: 2, warmupSeconds: 1 };

test("every load of fio has its counterpart", () => {
  const kinds = (["randread", "randwrite", "randrw", "read", "write", "rw"] as const).map((rw) => {
    const { type, pattern } = requestOf({ ...load, rw });
    return [rw, type, pattern];
  });
  assert.deepEqual(kinds, [
    ["randread", "read", "rand"],
    ["randwrite", "write", "rand"],
    ["randrw", "readwrite", "rand"],
    ["read", "read", "full-seq"],
    ["write", "write", "full-seq"],
    ["rw", "readwrite", "full-seq"],
  ]);
  assert.equal(requestOf({ ...load, rw: "randrw", readPercent: 70 }).readPercent, 70);
});

test("the commands for a reader name image, user, configuration and load", () => {
  const client = new CephClient({ conf: "/c/ceph.conf", user: "libvirt", pool: "vms" });
  const target = { client, image: "disk", conf: { path: "/c/ceph.conf", text: "" } } as BaselineTarget;
  const mixed: Load = { ...load, rw: "randrw", readPercent: 70 };
  assert.equal(
    siphonLibrary.command(target, mixed),
    "siphon rbd bench vms/disk --conf /c/ceph.conf --id libvirt --io-type readwrite --io-pattern rand " +
      "--io-size 16384 --io-threads 128 --seconds 2 --warmup 1 --rw-mix-read 70",
  );
  const [serve, fio] = siphonNbd.command(target, load).split("\n");
  assert.equal(serve, "siphon attach vms/disk --nbd /run/siphon.sock --conf /c/ceph.conf --id libvirt &");
  assert.match(fio!, /^fio .*--ioengine=nbd '?--uri=nbd\+unix:\/\/\/vms\/disk\?socket=%2Frun%2Fsiphon.sock/);
});

test("a load that cannot begin is told with the reason, and its process has ended", async () => {
  const disk = { pool: "vms", image: "disk", user: "libvirt", conf: join(directory, "missing.conf") };
  let pid = 0;
  const running = runLoad(
    { disk, load: requestOf(load), warmup: 0 },
    {
      signal: new AbortController().signal,
      onStart: (started) => {
        pid = started;
      },
      onWarm: () => assert.fail("it measures nothing"),
      onEnd: () => assert.fail("it measures nothing"),
    },
  );
  await assert.rejects(
    running,
    (error) =>
      error instanceof LabError &&
      error.code === "SIPHON_PROGRAM_FAILED" &&
      /siphon's client cannot load the image: .*missing\.conf/.test(error.message),
  );
  assert.ok(pid > 0 && !existsSync(`/proc/${pid}`));
});
