import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { Backup } from "../../../src/transfer/backup/backup.ts";
import { TransferError, type TransferErrorCode } from "../../../src/transfer/transfer-error.ts";
import { addUpTo, backedUp, nameOf, restored, stateAt } from "../../support/backups.ts";
import { MemoryImage } from "../../support/memory-image.ts";

test("every point of a backup is restored as it was", async (t) => {
  const directory = temporary(t);
  {
    await using backup = await Backup.openForChange(directory, backedUp);
    await addUpTo(backup, 4);
  }
  {
    await using backup = await Backup.openForChange(directory, backedUp);
    await addUpTo(backup, 8);
  }
  const backup = await Backup.open(directory);
  assert.deepEqual(backup.image, backedUp);
  await expectPoints(backup, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("points that are kept are restored as before, whichever others are removed", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.subarray([0, 1, 2, 3, 4, 5, 6]), async (kept) => {
      const directory = temporary(t);
      await using backup = await Backup.openForChange(directory, backedUp);
      await addUpTo(backup, 7);
      await backup.keep(new Set(kept.map(nameOf)));
      await expectPoints(backup, kept);
      assert.equal(filesOf(directory).length, 1 + kept.length);
      await expectPoints(await Backup.open(directory), kept);
    }),
    { numRuns: 12 },
  );
});

test("a backup with points removed goes on", async (t) => {
  await using backup = await Backup.openForChange(temporary(t), backedUp);
  await addUpTo(backup, 3);
  await backup.keep(new Set([nameOf(2)]));
  await addUpTo(backup, 5);
  await expectPoints(backup, [2, 3, 4]);
});

test("a byte that changed, is missing or too many is found, by verifying and by restoring", async (t) => {
  const directory = temporary(t);
  await using backup = await Backup.openForChange(directory, backedUp);
  await addUpTo(backup, 3);
  const path = join(directory, backup.points[1]!.file);
  const original = readFileSync(path);
  const damaged = Buffer.from(original);
  damaged[damaged.length - 10]! ^= 1;
  for (const bytes of [damaged, original.subarray(0, -1), Buffer.concat([original, Buffer.of(0)])]) {
    writeFileSync(path, bytes);
    await backup.verify(backup.points[0]!);
    await refused(backup.verify(backup.points[1]!), "SIPHON_TRANSFER_CORRUPT");
    await refused(restored(backup, nameOf(2)), "SIPHON_TRANSFER_CORRUPT");
    await refused(backup.keep(new Set([nameOf(2)])), "SIPHON_TRANSFER_CORRUPT");
    assert.equal(backup.points.length, 3);
  }
  truncateSync(path, 0);
  await assert.rejects(backup.verify(backup.points[1]!), TransferError);
  rmSync(path);
  await refused(backup.verify(backup.points[1]!), "SIPHON_TRANSFER_CORRUPT");
});

test("a damaged manifest is told from a sound one", async (t) => {
  const directory = temporary(t);
  {
    await using backup = await Backup.openForChange(directory, backedUp);
    await addUpTo(backup, 1);
  }
  const path = join(directory, "manifest.json");
  const text = readFileSync(path, "utf8");
  for (const damaged of [
    text.replace('"size": ', '"size": 1'),
    text.slice(0, -9),
    "null",
    '{"format":"other"}',
  ]) {
    writeFileSync(path, damaged);
    await refused(Backup.open(directory), "SIPHON_TRANSFER_CORRUPT");
  }
});

test("only one process changes a backup at a time", async (t) => {
  const directory = temporary(t);
  const first = await Backup.openForChange(directory, backedUp);
  await refused(Backup.openForChange(directory, backedUp), "SIPHON_TRANSFER_BUSY");
  // From another network namespace, as a container's.
  const lock = join(directory, ".lock");
  const elsewhere = ["--map-root-user", "--net", "flock", "--nonblock", lock, "true"];
  assert.equal(spawnSync("unshare", elsewhere).status, 1);
  assert.equal(statSync(lock).mode & 0o777, 0o600);
  await first[Symbol.asyncDispose]();
  await (await Backup.openForChange(directory, backedUp))[Symbol.asyncDispose]();
});

test("a directory with other things, or of another image, is left alone", async (t) => {
  const foreign = temporary(t);
  writeFileSync(join(foreign, "letter.txt"), "dear");
  await refused(Backup.openForChange(foreign, backedUp), "SIPHON_TRANSFER_MISMATCH");
  const directory = temporary(t);
  await (await Backup.openForChange(directory, backedUp))[Symbol.asyncDispose]();
  const other = { ...backedUp, id: "another" };
  await refused(Backup.openForChange(directory, other), "SIPHON_TRANSFER_MISMATCH");
});

test("extents that do not ascend are refused, and no point is added", async (t) => {
  await using backup = await Backup.openForChange(temporary(t), backedUp);
  const extents = [8, 0].map((offset) => ({ offset, length: 8, exists: true }));
  await refused(backup.add("a", new MemoryImage(Buffer.alloc(16, 1), extents)), "SIPHON_TRANSFER_MISMATCH");
  assert.deepEqual(backup.points, []);
  assert.deepEqual(filesOf(backup.directory), ["manifest.json"]);
});

test("killed at any moment, a backup has all its points, and goes on", async (t) => {
  const directory = temporary(t);
  const worker = new URL("../../support/backup-worker.ts", import.meta.url).pathname;
  let points = 0;
  for (let kill = 0; kill < 8; kill++) {
    const child = spawn(process.execPath, [worker, directory], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    await setTimeout((kill * 37) % 90);
    child.kill("SIGKILL");
    await once(child, "exit");
    await using backup = await Backup.openForChange(directory, backedUp);
    points += backup.points.length;
    await expectPoints(
      backup,
      backup.points.map(({ name }) => Number(name.split("-")[1])),
    );
    assert.equal(filesOf(directory).length, 1 + backup.points.length);
  }
  assert.ok(points > 0, "no worker lived long enough to add a point");
});

async function expectPoints(backup: Backup, numbers: readonly number[]): Promise<void> {
  assert.deepEqual(
    backup.points.map(({ name }) => name),
    numbers.map(nameOf),
  );
  for (const [index, number] of numbers.entries()) {
    await backup.verify(backup.points[index]!);
    assert.deepEqual(await restored(backup, nameOf(number)), stateAt(number).bytes, nameOf(number));
  }
}

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "siphon-backup-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function refused(promise: Promise<unknown>, code: TransferErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof TransferError && error.code === code);
}

/** All but the file that is locked. */
function filesOf(directory: string): string[] {
  return readdirSync(directory).filter((name) => name !== ".lock");
}
