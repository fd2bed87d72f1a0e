import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { LabError } from "../../errors.ts";
import { run, which } from "../../host/command.ts";
import { cached } from "../../state/cache.ts";

/** Programs that can write an ISO 9660 image, and their leading arguments. */
export const isoPrograms: [program: string, ...words: string[]][] = [
  ["genisoimage"],
  ["mkisofs"],
  ["xorriso", "-as", "mkisofs"],
];

/**
 * The path of a seed disk, which cloud-init's NoCloud source reads when a cloud image boots. root can log in with the
 * key, and the space after the root partition stays free for measurements. Source: cloudinit.readthedocs.io, "NoCloud".
 */
export async function findSeed(publicKey: string): Promise<string> {
  const user = userData(publicKey);
  const key = createHash("sha256").update(user).digest("hex").slice(0, 12);
  const directory = await cached("seeds", key, async (building) => {
    const files = join(building, "files");
    await mkdir(files);
    // cloud-init runs once per instance; the same seed is the same instance.
    const meta = { "instance-id": `siphon-${key}`, "local-hostname": "siphon-guest" };
    await writeFile(join(files, "meta-data"), stringify(meta));
    await writeFile(join(files, "user-data"), user);
    await writeIso(join(building, SEED), files);
    await rm(files, { recursive: true });
  });
  return join(directory, SEED);
}

const SEED = "seed.iso";

export function userData(publicKey: string): string {
  const settings = {
    disable_root: false,
    ssh_pwauth: false,
    ssh_authorized_keys: [publicKey],
    growpart: { mode: "off" },
    resize_rootfs: false,
    package_update: false,
    package_upgrade: false,
  };
  return `#cloud-config\n${stringify(settings, { lineWidth: 0 })}`;
}

async function writeIso(iso: string, directory: string): Promise<void> {
  for (const [program, ...words] of isoPrograms) {
    if (!(await which(program))) continue;
    const args = ["-quiet", "-output", iso, "-volid", "cidata", "-joliet", "-rock", directory];
    await run(program, [...words, ...args]);
    return;
  }
  const programs = isoPrograms.map(([program]) => program).join(", ");
  throw new LabError("SIPHON_MISSING_PROGRAM", `writing a cloud-init seed needs one of: ${programs}`, {
    hint: "apt-get install genisoimage (or: dnf install xorriso; pacman -S libisoburn)",
  });
}
