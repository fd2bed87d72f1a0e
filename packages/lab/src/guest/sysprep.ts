import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LabError } from "../errors.ts";
import { lastWords, run } from "../host/command.ts";
import { cached } from "../state/cache.ts";
import { Resource } from "../state/resource.ts";

/**
 * Access as in the study: virt-sysprep puts siphon's key into the image. The file stays unchanged: changes go to an
 * overlay in the cache, whose path is returned. Source: virt-sysprep(1), guestfs(3).
 */
export async function sysprepImage(
  file: string,
  { format, publicKey, signal }: { format: string; publicKey: string; signal?: AbortSignal },
): Promise<string> {
  const path = resolve(file);
  const { size, mtimeMs } = await stat(path);
  const key = createHash("sha256")
    .update(JSON.stringify([path, size, mtimeMs, publicKey]))
    .digest("hex");
  const directory = await cached("sysprep", key.slice(0, 16), async (building) => {
    await using work = await Resource.create("work", `sysprep-${process.pid}-${Date.now()}`);
    const overlay = join(building, OVERLAY);
    await run("qemu-img", ["create", "-q", "-f", "qcow2", "-F", format, "-b", path, overlay]);
    const result = await run(
      "virt-sysprep",
      [
        ...["--format", "qcow2", "--add", overlay, "--no-network", "--quiet"],
        // Without host keys an image's ssh server does not start, unless something generates them.
        ...[
          "--operations",
          "defaults,-ssh-hostkeys,-ssh-userdir",
          "--ssh-inject",
          `root:string:${publicKey}`,
        ],
      ],
      { env: { ...APPLIANCE, ...work.environment }, anyExitCode: true, timeoutMs: 600_000, signal },
    );
    if (result.exitCode === 0) return;
    throw new LabError(
      "SIPHON_PROGRAM_FAILED",
      `virt-sysprep could not put siphon's key into ${file}: ${lastWords(result)}`,
      {
        hint:
          "see why with: libguestfs-test-tool (it needs a kernel package on this host); " +
          "an image with cloud-init needs no virt-sysprep",
      },
    );
  });
  return join(directory, OVERLAY);
}

const OVERLAY = "disk.qcow2";

/**
 * Makes libguestfs start its helper VM directly and emulated: an existing KVM may not work, and libguestfs would then
 * wait for ever.
 */
const APPLIANCE = { LIBGUESTFS_BACKEND: "direct", LIBGUESTFS_BACKEND_SETTINGS: "force_tcg" };
