import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { LabError } from "../../errors.ts";
import { run, which } from "../../host/command.ts";

/**
 * Writes `seed.iso` into the directory: what cloud-init's NoCloud source reads at the first boot of a cloud
 * image. root may log in with the key, and the free space behind the root partition stays free: it is what is
 * measured. Source: cloudinit.readthedocs.io, "NoCloud".
 */
export async function writeSeed(directory: string, publicKey: string): Promise<string> {
  const iso = join(directory, "seed.iso");
  const files = join(directory, "seed");
  await mkdir(files);
  try {
    await writeFile(join(files, "meta-data"), metaData());
    await writeFile(join(files, "user-data"), userData(publicKey));
    await makeIso(iso, files);
  } finally {
    await rm(files, { recursive: true });
  }
  return iso;
}

/** A new instance each time, so that cloud-init runs again on an image that has met it before. */
function metaData(): string {
  return stringify({ "instance-id": `siphon-${randomUUID()}`, "local-hostname": "siphon-guest" });
}

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

/** Programs that can write an ISO 9660 image, and how each is asked. */
const isoPrograms: [program: string, ...words: string[]][] = [
  ["genisoimage"],
  ["mkisofs"],
  ["xorriso", "-as", "mkisofs"],
];

async function makeIso(iso: string, directory: string): Promise<void> {
  for (const [program, ...words] of isoPrograms) {
    if (!(await which(program))) continue;
    await run(program, [
      ...words,
      "-quiet",
      "-output",
      iso,
      "-volid",
      "cidata",
      "-joliet",
      "-rock",
      directory,
    ]);
    return;
  }
  throw new LabError(
    "SIPHON_MISSING_PROGRAM",
    "a cloud image needs a seed with the ssh key, and nothing here can write one",
    {
      hint: "apt-get install genisoimage (or: dnf install xorriso; pacman -S libisoburn)",
    },
  );
}
