import { readFile } from "node:fs/promises";
import { Secret } from "@siphon/rbd";
import type { Command } from "commander";
import { usage } from "./image-spec.ts";

/** The image is encrypted, and what is carried is not. */
export interface EncryptionFlags {
  encryptionFormat?: string;
  encryptionPassphraseFile?: string;
}

export function withEncryptionFlags(command: Command): Command {
  return command
    .option("--encryption-format <format>", "of the image: luks1 or luks2; the file has the plain data")
    .option("--encryption-passphrase-file <file>", "its bytes are the passphrase, line end and all");
}

export function isEncrypted({ encryptionFormat, encryptionPassphraseFile }: EncryptionFlags): boolean {
  return encryptionFormat !== undefined || encryptionPassphraseFile !== undefined;
}

/** Undefined without these flags; the secret is the caller's to dispose of. */
export async function encryptionOf(
  flags: EncryptionFlags,
): Promise<{ version: 1 | 2; passphrase: Secret } | undefined> {
  if (!isEncrypted(flags)) return undefined;
  const { encryptionFormat: format, encryptionPassphraseFile: path } = flags;
  if (format === undefined || path === undefined) {
    throw usage("--encryption-format and --encryption-passphrase-file go together");
  }
  const version = luksVersion(format);
  return { version, passphrase: new Secret(await readFile(path)) };
}

export function luksVersion(format: string): 1 | 2 {
  if (format === "luks1" || format === "luks2") return format === "luks1" ? 1 : 2;
  throw usage(`there is no encryption ${format}: luks1 or luks2`);
}
