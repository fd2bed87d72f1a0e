import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runQemu } from "../../support/attach/test-qemu.ts";
import { sizes, testVmDisk } from "../../support/attach/vm-disk.ts";

const MiB = 1 << 20;
const { directory, socketOf } = testVmDisk("nbd");

test("qemu-img converts to the image and back, out of order and over several connections at once", async () => {
  const uri = `nbd+unix:///libvirt-pool/second?socket=${socketOf("second")}`;
  const file = join(directory, "source.raw");
  const contents = Buffer.alloc(sizes[1]);
  for (const megabyte of [0, 3, 50, 95]) randomBytes(MiB).copy(contents, megabyte * MiB);
  writeFileSync(file, contents);
  await runQemu("qemu-img", ["convert", "-n", "-W", "-m", "8", "-f", "raw", "-O", "raw", file, uri]);
  const copies = ["first", "second", "third"].map((name) => join(directory, `${name}.raw`));
  await Promise.all(
    copies.map((copy) =>
      runQemu("qemu-img", ["convert", "-W", "-m", "8", "-f", "raw", "-O", "raw", uri, copy]),
    ),
  );
  for (const copy of copies) {
    assert.ok(readFileSync(copy).equals(contents), copy);
    rmSync(copy);
  }
  const compared = await runQemu("qemu-img", ["compare", "-f", "raw", "-F", "raw", file, uri]);
  assert.match(compared, /identical/);
});
