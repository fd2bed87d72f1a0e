import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { clean } from "../../src/clean.ts";
import { LocalCluster } from "../../src/cluster/local-cluster.ts";
import { freePorts } from "../../src/cluster/ports.ts";
import type { ClusterSpecInput } from "../../src/cluster/spec.ts";
import { LabError } from "../../src/errors.ts";
import { run } from "../../src/host/command.ts";
import { endProcesses } from "../../src/host/signals.ts";
import { TestStateDir } from "../support/state-dir.ts";

const state = new TestStateDir();
after(() => state[Symbol.asyncDispose]());

const small: ClusterSpecInput = { name: "small", osds: 1, store: "memstore" };
const nothingLeft = () => {
  assert.deepEqual(state.running(), []);
  assert.deepEqual(readdirSync(join(state.dir, "clusters")), []);
};

test("an abort at any step of coming up leaves no process and no file", async () => {
  const steps: string[] = [];
  await using _ = await LocalCluster.up({ ...small, name: "steps" }, { onStep: (step) => steps.push(step) });
  await _.down();
  assert.ok(steps.length >= 4);
  for (const step of steps) {
    const controller = new AbortController();
    const reason = new Error(`aborted at ${step}`);
    const onStep = (at: string) => {
      // A moment later, when what the step says is under way.
      if (at === step) setTimeout(() => controller.abort(reason), 50);
    };
    await assert.rejects(
      LocalCluster.up({ ...small, store: "bluestore" }, { signal: controller.signal, onStep }),
      (error) => error === reason,
      step,
    );
    nothingLeft();
  }
});

test("a port that is taken in the meantime means another try with other ports", async () => {
  await using server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const asked: number[][] = [];
  const ports = async (count: number) => {
    const chosen = asked.length === 0 ? [port, port] : await freePorts(count);
    asked.push(chosen);
    return chosen;
  };
  await using cluster = await LocalCluster.up(small, { ports });
  assert.equal(asked.length, 2);
  assert.equal((await cluster.status()).ceph?.health, "HEALTH_OK");
});

test("after SIGKILL of the process that made it, clean removes a cluster whole", {
  timeout: 120_000,
}, async () => {
  const script = `
    import { LocalCluster } from ${JSON.stringify(join(import.meta.dirname, "../../src/cluster/local-cluster.ts"))};
    await LocalCluster.up(${JSON.stringify(small)});
    process.send("up");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  assert.equal(
    await Promise.race([once(child, "message").then(([said]) => said), once(child, "exit")]),
    "up",
  );
  const cluster = await LocalCluster.find("small");
  assert.deepEqual(await clean(), [], "what its owner still uses is left alone");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(cluster.daemons.every(({ state }) => state === "running"));
  const removed = await clean();
  assert.deepEqual(
    removed.map(({ kind, name }) => `${kind}/${name}`),
    ["clusters/small"],
  );
  assert.equal(removed[0].pids.length, 3);
  nothingLeft();
});

test("a full disk is named, and nothing is left on it", {
  skip: process.getuid?.() !== 0 && "needs root",
}, async () => {
  const disk = join(state.dir, "disk");
  mkdirSync(disk);
  await run("mount", ["-t", "tmpfs", "-o", "size=64m", "siphon-test", disk]);
  process.env.SIPHON_STATE_DIR = disk;
  try {
    const full = (error: unknown) => error instanceof LabError && error.code === "SIPHON_NO_SPACE";
    await assert.rejects(LocalCluster.up({ ...small, store: "bluestore" }), full);
    // Memory would hold the data, but monitors keep theirs on the disk.
    writeFileSync(join(disk, "ballast"), Buffer.alloc(63.5 * 2 ** 20));
    await assert.rejects(LocalCluster.up(small), full);
    assert.deepEqual(readdirSync(join(disk, "clusters")), []);
  } finally {
    process.env.SIPHON_STATE_DIR = state.dir;
    await endProcesses(state.running());
    await run("umount", [disk]);
  }
});
