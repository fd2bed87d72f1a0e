import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Contender, Contest, Ground } from "./contender.ts";
import { siphonAttach } from "./serving.ts";
import { qemuStorageDaemon, underRings } from "./vhost.ts";

const exec = promisify(execFile);

/** The cost of encryption: LUKS2 (AES-256-XTS, sectors of 4 KiB) against the same server without it, under the same rings. */
export const encryptedContest: Contest = {
  name: "vhost-user-blk luks2",
  peer: "siphon attach without encryption",
  goal: 1.25,
  ours: encrypted,
  async theirs(ground, image) {
    const socket = join(ground.directory, `plain-${image}`);
    const serving = await siphonAttach(ground, image, ["--vhost", socket], socket);
    return underRings("siphon attach", serving, spanOf(ground));
  },
};

/** Against librbd's own encryption, in qemu-storage-daemon. */
export const encryptedLibrbdContest: Contest = {
  name: "vhost-user-blk luks2 librbd",
  peer: "qemu-storage-daemon with librbd's encryption",
  goal: 0.5,
  ours: encrypted,
  async theirs(ground, image) {
    const file = await format(ground, image);
    const secret = { "qom-type": "secret", id: "passphrase", file };
    const encrypt = { format: "luks2", "key-secret": "passphrase" };
    const serving = await qemuStorageDaemon(ground, image, { encrypt }, [
      ...["--object", JSON.stringify(secret)],
    ]);
    return underRings("qemu-storage-daemon", serving, spanOf(ground));
  },
};

async function encrypted(ground: Ground, image: string): Promise<Contender> {
  const socket = join(ground.directory, `siphon-${image}`);
  const key = ["--encryption-passphrase-file", await format(ground, image)];
  const serving = await siphonAttach(ground, image, ["--vhost", socket, ...key], socket);
  return underRings("siphon attach, encrypted", serving, spanOf(ground));
}

/**
 * Formats an image; its old content turns into garbage, which is just as good for reading. Returns the passphrase's
 * file.
 */
async function format({ conf, pool, directory }: Ground, image: string): Promise<string> {
  const file = join(directory, `passphrase-${image}`);
  await writeFile(file, "correct horse");
  await exec("rbd", ["-c", conf, "encryption", "format", `${pool}/${image}`, "luks2", file]);
  return file;
}

/** The header takes 16 MiB. */
function spanOf({ size }: Ground): number {
  return size - (16 << 20);
}
