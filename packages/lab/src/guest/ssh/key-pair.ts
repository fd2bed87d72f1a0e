import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, link, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../host/command.ts";
import { cacheDir } from "../../state/paths.ts";

/** The key that opens the guests of this machine's siphon to siphon, and to nobody else. */
export interface KeyPair {
  /** Path of the private key, mode 0600. */
  privateKey: string;
  /** The public key's line, as it stands in authorized_keys. */
  publicKey: string;
}

/**
 * The key pair in the cache directory, made on first use. It stays, since guest images that were built with
 * it stay; removing it makes siphon build them again.
 */
export async function keyPair(): Promise<KeyPair> {
  const dir = join(cacheDir(), "ssh");
  const privateKey = join(dir, "id_ed25519");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (!existsSync(privateKey)) await generate(dir, privateKey);
  // The public half is derived and not read: the two cannot fall apart.
  await chmod(privateKey, 0o600);
  const { stdout } = await run("ssh-keygen", ["-y", "-f", privateKey]);
  return { privateKey, publicKey: `${stdout.trim().split(" ").slice(0, 2).join(" ")} siphon` };
}

/** If two processes do this at once, the first one's key stays: link(2) does not replace. */
async function generate(dir: string, privateKey: string): Promise<void> {
  const fresh = join(dir, `.${randomUUID()}`);
  try {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "siphon", "-f", fresh]);
    await link(fresh, privateKey);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  } finally {
    await rm(fresh, { force: true });
    await rm(`${fresh}.pub`, { force: true });
  }
}
