import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { type LocalClusterStatus, pidsWithEnvironment, RESOURCE_VARIABLE } from "@siphon/lab";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-"));
const running = () => pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value.startsWith(`${dir}/`));

after(async () => {
  await siphon("cluster", "down", "t");
  rmSync(dir, { recursive: true, force: true });
});

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args, "--dir", dir], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function siphon(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = start(...args);
  const exit = once(child, "exit");
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  return { status: (await exit)[0], stdout, stderr };
}

const small = ["--name", "t", "--osds", "1", "--store", "memstore"];

test("a cluster stays up for other commands until it is taken down", async () => {
  const up = await siphon("cluster", "up", ...small, "--set", "osd max write size=80", "--json");
  assert.equal(up.status, 0, up.stderr);
  const made = JSON.parse(up.stdout) as LocalClusterStatus;
  assert.deepEqual([made.name, made.kept, made.ceph?.health], ["t", true, "HEALTH_OK"]);

  const status = await siphon("cluster", "status", "t");
  assert.equal(status.status, 0, status.stderr);
  assert.match(status.stdout, /HEALTH_OK[\s\S]*1 of 1 up[\s\S]*32 active\+clean/);
  const list = JSON.parse((await siphon("cluster", "list", "--json")).stdout) as {
    name: string;
    running: number;
  }[];
  assert.deepEqual(
    list.map(({ name, running }) => [name, running]),
    [["t", 3]],
  );

  const again = await siphon("cluster", "up", ...small);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /already one of the clusters called t/);

  process.kill(made.daemons.find(({ name }) => name === "osd.0")!.pid!, "SIGKILL");
  const died = await siphon("cluster", "status", "t");
  assert.equal(died.status, 1);
  assert.match(died.stdout, /osd\.0 died/);

  assert.equal((await siphon("cluster", "down", "t")).status, 0);
  assert.deepEqual(running(), []);
  assert.deepEqual(readdirSync(join(dir, "clusters")), []);
  const gone = await siphon("cluster", "status", "t");
  assert.equal(gone.status, 1);
  assert.match(gone.stderr, /there is no cluster t/);
});

test("Ctrl-C while a cluster comes up leaves nothing, and the exit code is 130", async () => {
  const child = start("cluster", "up", ...small);
  const exit = once(child, "exit");
  let words = "";
  child.stderr!.on("data", (piece) => {
    const before = /making the pool/.test(words);
    words += piece;
    if (!before && /making the pool/.test(words)) child.kill("SIGINT");
  });
  assert.deepEqual(await exit, [130, null], words);
  assert.deepEqual(running(), []);
  assert.ok(existsSync(join(dir, "clusters")));
  assert.deepEqual(readdirSync(join(dir, "clusters")), []);
});

test("an invalid call is reported in one sentence, with exit code 2", async () => {
  for (const [args, why] of [
    [["--wire", "secure"], /secure mode needs the session keys of auth cephx/],
    [["--set", "novalue"], /--set needs NAME=VALUE/],
  ] as const) {
    const { status, stderr } = await siphon("cluster", "up", ...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, why);
  }
});
