import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, link, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../host/command.ts";
import { cacheDir } from "../../state/paths.ts";

/** The ssh key of this machine's siphon for its guests. */
export interface KeyPair {
  /** Path of the private key, mode 0600. */
  privateKey: string;
  /** The public key as a line of authorized_keys. */
  publicKey: string;
}

/**
 * The key pair in the cache directory, created at the first use. Guest images contain it; if it is removed, siphon
 * builds them again.
 */
export async function keyPair(): Promise<KeyPair> {
  const dir = join(cacheDir(), "ssh");
  const privateKey = join(dir, "id_ed25519");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (!existsSync(privateKey)) await generate(dir, privateKey);
  // The public key is derived, not read, so the two always match.
  await chmod(privateKey, 0o600);
  const { stdout } = await run("ssh-keygen", ["-y", "-f", privateKey]);
  return { privateKey, publicKey: `${stdout.trim().split(" ").slice(0, 2).join(" ")} siphon` };
}

/** If two processes do this concurrently, the first key stays: link(2) does not replace. */
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
