import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../src/host/command.ts";
import { readMaps } from "../../src/profile/symbols/maps.ts";
import { withHostPaths } from "../../src/roots/enter.ts";
import { Root } from "../../src/roots/root.ts";
import { smallRoot } from "../support/small-root.ts";

const mounts = () => readFileSync("/proc/self/mounts", "utf8");

test("a program of a root sees the root's /usr and /etc, and the host's files everywhere else", async () => {
  using small = await smallRoot();
  const from = Root.at(small.directory);
  const mine = mkdtempSync(join(tmpdir(), "siphon-mine-"));
  try {
    writeFileSync(join(mine, "file"), "the host's");
    const { stdout } = await run("sh", ["-c", "cat /etc/os-release; cat file; ls /usr"], { from, cwd: mine });
    assert.match(stdout, /PRETTY_NAME=small\nthe host'sbin\nlib\nsbin\n/);
    const host = await run("sh", ["-c", "ls -d /proc/self/exe /sys/kernel /dev/null /run /tmp"], { from });
    assert.equal(host.stdout.trim().split("\n").length, 5);
  } finally {
    rmSync(mine, { recursive: true });
  }
});

test("the system files of a root cannot be written to", async () => {
  using small = await smallRoot();
  const from = Root.at(small.directory);
  const said = await run("sh", ["-c", "touch /usr/bin/new /etc/new"], { from, anyExitCode: true });
  if (process.geteuid?.() === 0) assert.match(said.stderr, /Read-only file system/);
});

test("nothing is mounted for anybody else, and nothing is left in the root", async () => {
  using small = await smallRoot();
  const before = mounts();
  await using sleeper = await startSleeper(small.directory);
  assert.equal(mounts(), before);
  sleeper.child.kill("SIGKILL");
  await once(sleeper.child, "exit");
  assert.equal(mounts(), before);
  assert.deepEqual(readdirSync(join(small.directory, "proc")), []);
});

test("the pid and the signals are the program's own", async () => {
  using small = await smallRoot();
  await using sleeper = await startSleeper(small.directory);
  assert.match(readlinkSync(`/proc/${sleeper.child.pid}/exe`), /\/usr\/bin\/busybox$/);
  sleeper.child.kill("SIGTERM");
  const [, signal] = await once(sleeper.child, "exit");
  assert.equal(signal, "SIGTERM");
});

test("what the kernel says of a program's files names them as this process can open them", async () => {
  using small = await smallRoot();
  await using sleeper = await startSleeper(small.directory);
  const pid = sleeper.child.pid!;
  assert.ok(readMaps(pid)!.includes(` ${small.directory}/usr/bin/busybox\n`));
  const top = readlinkSync(`/proc/${pid}/root`);
  assert.equal(withHostPaths(`x ${top}/tmp/a\ny /other`, pid), "x /tmp/a\ny /other");
  assert.equal(withHostPaths(`x ${top}/tmp/a`, process.pid), `x ${top}/tmp/a`);
});

test("variables of the loader reach the program, and those of this process do not", async () => {
  using small = await smallRoot();
  const from = Root.at(small.directory);
  process.env.LD_LIBRARY_PATH = "/of/the/host";
  try {
    const env = { LD_PRELOAD: "/nowhere/lib.so", OTHER: "it's" };
    const { stdout } = await run("env", [], { from, env });
    assert.match(stdout, /^LD_PRELOAD=\/nowhere\/lib\.so$/m);
    assert.match(stdout, /^OTHER=it's$/m);
    assert.doesNotMatch(stdout, /of\/the\/host/);
  } finally {
    delete process.env.LD_LIBRARY_PATH;
  }
});

test("the exit code and both outputs are the program's own, whatever its arguments look like", async () => {
  using small = await smallRoot();
  const from = Root.at(small.directory);
  const args = ["-c", 'echo "$1"; echo "$2" >&2; exit 7', "sh", "a 'b' $c *", "-n --x"];
  const said = await run("sh", args, { from, anyExitCode: true });
  assert.deepEqual(said, { exitCode: 7, stdout: "a 'b' $c *\n", stderr: "-n --x\n" });
});

/** A program of the root that sleeps, once it is that program. */
async function startSleeper(root: string): Promise<{ child: ChildProcess } & AsyncDisposable> {
  const call = Root.at(root).command("sleep", ["1000"]);
  const child = spawn(call.command, call.args, { env: { ...process.env, ...call.env }, stdio: "ignore" });
  const end = async () => void child.kill("SIGKILL");
  // The command line is there before the program's file is mapped.
  while (!/^sleep/.test(of(child, "cmdline")) || !/busybox/.test(of(child, "maps"))) await sleep(5);
  return { child, [Symbol.asyncDispose]: end };
}

function of(child: ChildProcess, file: string): string {
  return readFileSync(`/proc/${child.pid}/${file}`, "utf8");
}
