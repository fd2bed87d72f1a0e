import assert from "node:assert/strict";
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { kill, run } from "../support/run.ts";

let directory: string;
const children = new Set<ChildProcess>();

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "siphon-nbd-kill-"));
});

after(async () => {
  for (const child of children) await kill(child);
  await rm(directory, { recursive: true });
});

async function serve(socket: string, file: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, "../support/serve-nbd.ts"), [socket, file]);
  children.add(child);
  await once(child, "message");
  return child;
}

/** QEMU's NBD client with `reconnect-delay`, handed on to fio as an export of QEMU's own. */
async function qemuBetween(inner: string, outer: string): Promise<ChildProcess> {
  const blockdev = {
    ...{ driver: "nbd", "node-name": "disk", server: { type: "unix", path: inner }, export: "disk" },
    "reconnect-delay": 60,
  };
  const child = spawn(
    "qemu-storage-daemon",
    [
      ...["--blockdev", JSON.stringify(blockdev)],
      ...["--nbd-server", `addr.type=unix,addr.path=${outer}`],
      ...["--export", "type=nbd,id=out,node-name=disk,name=disk,writable=on"],
    ],
    { stdio: "inherit" },
  );
  children.add(child);
  while (!existsSync(outer)) {
    assert.equal(child.exitCode, null, "qemu-storage-daemon ended");
    await pause(50);
  }
  return child;
}

test("a server killed again and again under fio costs QEMU's disk a pause, no error and no acknowledged write", async () => {
  const [inner, outer, file] = ["inner", "outer", "disk"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(file, "");
  await truncate(file, 64 << 20);
  let server = await serve(inner, file);
  await qemuBetween(inner, outer);
  const job = [
    ...[
      "--name=verify",
      "--ioengine=nbd",
      `--uri=nbd+unix:///disk?socket=${outer}`,
      "--rw=randwrite",
      "--bs=4k",
    ],
    ...[
      "--size=64m",
      "--iodepth=16",
      "--verify=crc32c",
      "--verify_state_save=0",
      "--rate_iops=4000",
      "--output-format=json",
    ],
  ];
  let done = false;
  const fio = run("fio", job).finally(() => {
    done = true;
  });
  let kills = 0;
  while (!done && kills < 5) {
    await pause(700);
    await kill(server);
    kills++;
    server = await serve(inner, file);
  }
  const said = await fio;
  const { jobs } = JSON.parse(said.slice(said.indexOf("{"))) as {
    jobs: [{ error: number; read: { total_ios: number } }];
  };
  assert.equal(jobs[0].error, 0);
  assert.equal(jobs[0].read.total_ios, 16_384, "everything was read back");
  assert.ok(kills >= 3);
});
