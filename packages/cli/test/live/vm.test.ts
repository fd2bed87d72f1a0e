import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pidsWithEnvironment, RESOURCE_VARIABLE } from "@siphon/lab";
import { main } from "../support/programs.ts";

const state = mkdtempSync(join(tmpdir(), "siphon-vm-cli-"));
after(() => {
  assert.deepEqual(running(), []);
  rmSync(state, { recursive: true, force: true });
});

const running = () => pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value.startsWith(`${state}/`));

function start(args: string[]): ChildProcess {
  return spawn(process.execPath, [main, "vm", ...args], {
    env: { ...process.env, SIPHON_STATE_DIR: state },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

async function siphon(
  args: string[],
  input = "",
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const child = start(args);
  child.stdin!.end(input);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, "close"),
  ]);
  return { exitCode: exitCode as number, stdout, stderr };
}

const disk = ["--null", "1G", "--accel", "tcg"];

test("a command runs in a VM made for it, and its output and exit code are the command's", async () => {
  const said = await siphon(["run", ...disk, "--rung", "ide", "--", "ls /dev/sda; echo oops >&2; exit 3"]);
  assert.deepEqual([said.exitCode, said.stdout], [3, "/dev/sda\n"], said.stderr);
  assert.match(said.stderr, /oops/);
  assert.deepEqual(running(), []);
});

test("a VM that is left running is listed, used without a terminal, and stopped", async () => {
  const started = await siphon(["run", ...disk, "--detach", "--name", "stays", "--json"]);
  const { name, pid, device } = JSON.parse(started.stdout);
  assert.deepEqual([name, device], ["stays", "/dev/vda"]);
  const [listed] = JSON.parse((await siphon(["list", "--json"])).stdout);
  assert.deepEqual([listed.name, listed.state, listed.pid], ["stays", "running", pid]);
  assert.match((await siphon(["list"])).stdout, /stays .* running/);
  assert.equal((await siphon(["ssh", "stays", "echo", "in", "it"])).stdout, "in it\n");
  const script = await siphon(["ssh", "stays"], "cd /proc\npwd\nexit 4\n");
  assert.deepEqual([script.exitCode, script.stdout], [4, "/proc\n"]);
  assert.equal((await siphon(["stop", "stays"])).stdout, "ended stays\n");
  const gone = await siphon(["ssh", "stays", "true"]);
  assert.equal(gone.exitCode, 1);
  assert.match(gone.stderr, /there is no VM stays\n\s+list VMs with: siphon vm list/);
});

test("a VM without a command runs until it is interrupted, and leaves nothing", async () => {
  const child = start(["run", ...disk, "--name", "waits"]);
  const said = text(child.stderr!);
  while ((await siphon(["list", "--json"])).stdout === "[]\n") await sleep(100);
  child.kill("SIGINT");
  const [exitCode] = await once(child, "exit");
  assert.equal(exitCode, 130);
  assert.match(await said, /interrupted by SIGINT/);
});

test("--print only prints the command; an impossible VM is refused with exit code 2", async () => {
  const { stdout } = await siphon(["run", ...disk, "--rung", "tcmalloc", "--print"]);
  assert.match(stdout, /^LD_PRELOAD=\S*libtcmalloc\S* \\\nqemu-system-x86_64 \\\n {2}-name /);
  for (const args of [["run"], ["run", ...disk, "--file", "x"], ["run", ...disk, "--rung", "nonsense"]]) {
    assert.equal((await siphon(args)).exitCode, 2, args.join(" "));
  }
});
