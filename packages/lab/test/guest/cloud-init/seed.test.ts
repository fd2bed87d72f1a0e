import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { findSeed, userData } from "../../../src/guest/cloud-init/seed.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-seed-"));
process.env.SIPHON_CACHE_DIR = dir;
after(() => rmSync(dir, { recursive: true }));

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtestkeytestkeytestkeytestkeytestkeytestkey siphon";

test("cloud-init is told to let root in and to leave the space behind the root partition alone", () => {
  const text = userData(key);
  assert.match(text, /^#cloud-config\n/);
  const settings = parse(text) as Record<string, unknown>;
  assert.deepEqual(settings.ssh_authorized_keys, [key]);
  assert.equal(settings.disable_root, false);
  assert.deepEqual(settings.growpart, { mode: "off" });
  assert.equal(settings.resize_rootfs, false);
});

test("the seed is an ISO image called cidata that holds both files; the same key finds the same seed", async () => {
  const path = await findSeed(key);
  const iso = readFileSync(path);
  // The primary volume descriptor stands in sector 16 of 2,048 bytes, the volume's name 40 bytes into it.
  assert.equal(iso.toString("latin1", 16 * 2048 + 40, 16 * 2048 + 72).trim(), "cidata");
  for (const content of [userData(key), "instance-id: siphon-"]) assert.ok(iso.includes(content));
  assert.equal(await findSeed(key), path);
  assert.notEqual(await findSeed(`${key}2`), path);
});
