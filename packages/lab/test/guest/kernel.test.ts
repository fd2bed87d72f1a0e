import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { kernelIn } from "../../src/guest/kernel.ts";

/** An unpacked kernel package with these files. */
async function unpacked(...files: string[]) {
  const directory = await mkdtemp(join(tmpdir(), "siphon-kernel-"));
  for (const file of files) {
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await writeFile(join(directory, file), "");
  }
  return {
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

test("a kernel's image is found in boot, or beside its modules where distributions moved it", async () => {
  for (const image of ["boot/vmlinuz-6.1.0-56-cloud-amd64", "modules/6.1.0-56-cloud-amd64/vmlinuz"]) {
    await using kernel = await unpacked("modules/6.1.0-56-cloud-amd64/modules.builtin", image);
    const { version, bzImage, modules } = await kernelIn(kernel.directory, "a package");
    assert.equal(version, "6.1.0-56-cloud-amd64");
    assert.equal(bzImage, join(kernel.directory, image));
    assert.equal(modules, join(kernel.directory, "modules", version));
  }
});

test("a kernel without an image is said to have none, with what to do", async () => {
  await using kernel = await unpacked("modules/7.2.13/modules.builtin");
  await assert.rejects(kernelIn(kernel.directory, "package linux-image-7.2.13"), {
    code: "SIPHON_GUEST",
    message: /package linux-image-7\.2\.13 has no image of its kernel 7\.2\.13/,
  });
});
