import { type EncryptionLayer, type LayerKeys, readLayerKeys } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import type { Command } from "commander";
import { badOption, usage } from "./image-spec.ts";

/** One value of each for every layer of a clone: first the image's, then its parent's, then the grandparent's. */
export interface EncryptionFlags {
  encryptionFormat?: string[];
  encryptionPassphraseFile?: string[];
}

export function withEncryptionFlags(command: Command): Command {
  return command
    .option(
      "--encryption-format <format>",
      "format of the image: luks, luks1 or luks2 (default: luks); repeat it for a parent with another key",
      appended,
    )
    .option(
      "--encryption-passphrase-file <file>",
      "file whose bytes are the passphrase, including a line end; repeat it for the parent",
      appended,
    );
}

export function isEncrypted({ encryptionFormat, encryptionPassphraseFile }: EncryptionFlags): boolean {
  return encryptionFormat !== undefined || encryptionPassphraseFile !== undefined;
}

/** The layers and the files of their passphrases; undefined if no encryption flag is given. */
export function encryptionLayers(flags: EncryptionFlags): EncryptionLayer[] | undefined {
  if (!isEncrypted(flags)) return undefined;
  const files = flags.encryptionPassphraseFile ?? [];
  const versions = flags.encryptionFormat?.map(layerVersion) ?? files.map(() => undefined);
  if (versions.length !== files.length) {
    throw usage("encryption formats count does not match passphrase files count");
  }
  return files.map((passphraseFile, index) => ({ version: versions[index], passphraseFile }));
}

/** The layers' keys; undefined if no encryption flag is given. Disposing of them wipes them. */
export async function encryptionOf(flags: EncryptionFlags): Promise<LayerKeys | undefined> {
  const layers = encryptionLayers(flags);
  return layers && (await readLayerKeys(layers));
}

export function luksVersion(format: string): 1 | 2 {
  if (format === "luks1" || format === "luks2") return format === "luks1" ? 1 : 2;
  throw new SiphonError("EOPNOTSUPP", "unsupported encryption format", {
    hint: `it is luks1 or luks2, and not ${format}`,
  });
}

function layerVersion(format: string): 1 | 2 | undefined {
  if (format === "luks") return undefined;
  if (format === "luks1" || format === "luks2") return luksVersion(format);
  throw badOption(`there is no encryption format ${format}: luks, luks1 or luks2`);
}

function appended(value: string, before: string[] = []): string[] {
  return [...before, value];
}
