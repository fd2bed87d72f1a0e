import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { LabError } from "../../src/errors.ts";
import { moduleTree } from "../../src/guest/modules.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-modules-test-"));
after(() => rmSync(dir, { recursive: true, force: true }));

/** As much of a module as is looked at: its .modinfo entries. */
const module = (name: string, depends: string) =>
  Buffer.from(`\x7fELF\0license=GPL\0depends=${depends}\0name=${name}\0`);

const files: Record<string, Buffer> = {
  "kernel/fs/xfs/xfs.ko": module("xfs", "libcrc32c"),
  "kernel/lib/libcrc32c.ko.zst": zstdCompressSync(module("libcrc32c", "")),
  "kernel/drivers/block/virtio_blk.ko.xz": execFileSync("xz", ["-c"], {
    input: module("virtio_blk", "virtio_ring,virtio"),
  }),
  "kernel/drivers/virtio/virtio-ring.ko": module("virtio_ring", "virtio"),
  "kernel/drivers/virtio/virtio.ko": module("virtio", ""),
  "kernel/sound/unwanted.ko": module("unwanted", ""),
  "modules.builtin": Buffer.from("kernel/drivers/nvme/host/nvme-core.ko\n"),
};
for (const [path, data] of Object.entries(files)) {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), data);
}
const kernel = { version: "6.1.0-test", source: "a test", bzImage: "", modules: dir };
const busybox = "busybox";

test("a guest gets the modules it needs, unpacked, with all that they depend on and nothing else", async () => {
  const tree = await moduleTree(kernel, { needed: ["virtio_blk", "nvme_core"], wanted: ["xfs"], busybox });
  const paths = tree.map(({ path }) => path.replace("/lib/modules/6.1.0-test/", "")).sort();
  assert.deepEqual(paths, [
    "kernel/drivers/block/virtio_blk.ko",
    "kernel/drivers/virtio/virtio-ring.ko",
    "kernel/drivers/virtio/virtio.ko",
    "kernel/fs/xfs/xfs.ko",
    "kernel/lib/libcrc32c.ko",
    "modules.alias",
    "modules.dep",
  ]);
  for (const entry of tree.filter(({ path }) => path.endsWith(".ko"))) {
    assert.ok(entry.type === "file" && Buffer.from(entry.data).includes("depends="), entry.path);
  }
});

test("a wanted module may be missing, a needed one may not", async () => {
  await moduleTree(kernel, { needed: [], wanted: ["rbd"], busybox });
  await assert.rejects(
    moduleTree(kernel, { needed: ["rbd", "xfs"], wanted: [], busybox }),
    (error) => error instanceof LabError && error.message === "kernel 6.1.0-test has no rbd",
  );
});
