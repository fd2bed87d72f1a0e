import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { parseInventory } from "../../src/deploy/inventory.ts";
import { claiming, removing } from "../../src/deploy/marker.ts";
import { type Placement, place } from "../../src/deploy/placement.ts";
import { DEPLOYMENT_VARIABLE, script } from "../../src/deploy/script.ts";
import { run } from "../../src/host/command.ts";
import { processId } from "../../src/host/proc.ts";

const root = mkdtempSync(join(tmpdir(), "siphon-marker-"));
after(() => rmSync(root, { recursive: true, force: true }));

const base = join(root, "host");
const dir = join(base, "var/siphon");
const file = join(base, "osd.img");
const lab = { fsid: "00000000-0000-4000-8000-000000000001", name: "lab" };
let placement: Placement;

beforeEach(() => {
  rmSync(base, { recursive: true, force: true });
  mkdirSync(base);
  const osds = [{ file, size: "2G" }];
  const inventory = parseInventory({
    hosts: [{ name: "node1", address: "192.0.2.1", directory: dir, mon: true, osds }],
  });
  [placement] = place(inventory);
});

/** Runs a script in a host's shell. */
const shell = (lines: string[]) => run("sh", ["-s"], { input: script(lines), anyExitCode: true });
const claim = (who = lab) => shell(claiming(placement, who, []));
const remove = async (which: { fsid?: string; name: string } = lab) =>
  (await shell(removing(dir, which))).stdout.trim();
/** The head of a BlueStore. */
const label = (uuid: string) => `bluestore block device\n${uuid}\n\x02\x01\x16`;

test("claimed directories are removed with their content and the parents made for them", async () => {
  assert.equal((await claim()).exitCode, 0);
  mkdirSync(join(dir, "osd.0"));
  writeFileSync(join(dir, "osd.0/keyring"), "secret");
  assert.equal(await remove(), "removed");
  assert.deepEqual(readdirSync(base), []);
});

test("a directory that was there, empty, stays", async () => {
  mkdirSync(dir, { recursive: true });
  await claim();
  assert.equal(await remove(), "removed");
  assert.deepEqual(readdirSync(dir), []);
});

test("a directory is claimed once", async () => {
  await claim();
  const second = await claim({ fsid: "00000000-0000-4000-8000-000000000002", name: "other" });
  assert.equal(second.exitCode, 1);
  assert.match(second.stderr, /another deployment came first/);
  assert.match(readFileSync(join(dir, "deployment"), "utf8"), /^id\t00000000-0000-4000-8000-000000000001$/m);
});

test("another deployment is left alone, known by its fsid or else by its name", async () => {
  await claim();
  assert.equal(await remove({ fsid: "00000000-0000-4000-8000-000000000002", name: "lab" }), "another");
  assert.equal(await remove({ name: "other" }), "another");
  assert.ok(existsSync(dir));
  assert.equal(await remove({ name: "lab" }), "removed");
});

test("a directory that belongs to no deployment is never touched", async () => {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "thesis.tex"), "");
  assert.equal(await remove(), "absent");
  assert.deepEqual(readdirSync(dir), ["thesis.tex"]);
});

test("an OSD's file goes while it holds that OSD's store, or nothing yet", async () => {
  for (const content of [label(placement.osds[0].uuid), "", "\0\0\0\0"]) {
    await claim();
    writeFileSync(file, content);
    assert.equal(await remove(), "removed");
    assert.ok(!existsSync(file), JSON.stringify(content));
  }
});

test("what holds other data by now is left alone, and told", async () => {
  // The first is the shape of a file system that leaves its first KiB alone.
  const padded = `${"\0".repeat(1024)}superblock`;
  for (const content of [padded, "a thesis", label("00000000-0000-4000-8000-00000000000f")]) {
    await claim();
    writeFileSync(file, content);
    assert.equal(await remove(), `left\t${file}\nremoved`);
    assert.equal(readFileSync(file, "utf8"), content);
  }
});

test("processes of the deployment are ended, and no others", async () => {
  await claim();
  const start = async (directory: string) => {
    const child = spawn("sleep", ["60"], { env: { ...process.env, [DEPLOYMENT_VARIABLE]: directory } });
    await once(child, "spawn");
    return child;
  };
  const [ours, other] = await Promise.all([start(dir), start(`${dir}2`)]);
  assert.equal(await remove(), "removed");
  assert.equal(processId(ours.pid!), undefined);
  assert.ok(processId(other.pid!));
  other.kill();
});

test("a file that may be wiped is gone before its OSD is made", async () => {
  writeFileSync(file, "old");
  const { exitCode } = await shell(claiming(placement, lab, [{ host: "node1", path: file }]));
  assert.equal(exitCode, 0);
  assert.ok(!existsSync(file));
});
