import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pidsWithEnvironment, RESOURCE_VARIABLE } from "@siphon/lab";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-kill-"));
const state = join(dir, "state");
after(() => rmSync(dir, { recursive: true, force: true }));

function siphon(...args: string[]): ChildProcess & { words: () => string } {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: dir,
    env: { ...process.env, SIPHON_STATE_DIR: state },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let words = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (words += data));
  return Object.assign(child, { words: () => words });
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return (await once(child, "exit"))[0] as number | null;
}

function running(): number[] {
  return pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value.startsWith(`${state}/`));
}

function filesLeft(): string[] {
  if (!existsSync(state)) return [];
  return readdirSync(state).flatMap((kind) =>
    readdirSync(join(state, kind)).map((name) => `${kind}/${name}`),
  );
}

const ladderArgs = [
  "ladder",
  "--rungs",
  "virtio-blk",
  "--repeat",
  "1",
  "--seconds",
  "20",
  "--size",
  "256M",
  "--no-bigger",
];

/** Starts a ladder and waits until its output contains the words. */
async function ladderUntil(words: RegExp): Promise<ReturnType<typeof siphon>> {
  const child = siphon(...ladderArgs);
  while (!words.test(child.words())) {
    assert.equal(child.exitCode, null, child.words());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return child;
}

for (const [when, words] of [
  ["while the cluster comes up", /Set up cluster/],
  ["while a VM is measured", /round 1 of/],
] as const) {
  test(`Ctrl-C ${when} ends everything, with exit code 130`, async () => {
    const child = await ladderUntil(words);
    child.kill("SIGINT");
    assert.equal(await ended(child), 130, child.words());
    assert.match(child.words(), /interrupted by SIGINT/);
    assert.deepEqual([running(), filesLeft()], [[], []]);
  });
}

test("after a SIGKILL, siphon clean leaves no process and no file", async () => {
  const child = await ladderUntil(/round 1 of/);
  child.kill("SIGKILL");
  await ended(child);
  assert.ok(running().length > 0, "the daemons live on");

  const clean = siphon("clean", "--json");
  assert.equal(await ended(clean), 0, clean.words());
  const removed = JSON.parse(clean.words()) as { kind: string }[];
  assert.ok(removed.some(({ kind }) => kind === "clusters"));
  assert.deepEqual([running(), filesLeft()], [[], []]);
});
