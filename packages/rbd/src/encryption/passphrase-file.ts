import { readFile } from "node:fs/promises";
import { Secret, SiphonError } from "@siphon/wire";
import type { LayerKey } from "./encryption-layers.ts";

/** The passphrase of one layer of an encrypted image: the image itself, its parent, the parent's parent. */
export interface EncryptionLayer {
  /** Version of LUKS; undefined: any. */
  readonly version?: 1 | 2 | undefined;
  /** Its bytes are the passphrase. It is read each time the image is opened. */
  readonly passphraseFile: string;
}

/** They are wiped when this is disposed of. */
export interface LayerKeys extends Disposable {
  readonly keys: readonly LayerKey[];
}

/** @throws as `readPassphrase` */
export async function readLayerKeys(layers: readonly EncryptionLayer[]): Promise<LayerKeys> {
  using secrets = new DisposableStack();
  const keys: LayerKey[] = [];
  for (const { version, passphraseFile } of layers) {
    keys.push({ version, passphrase: secrets.use(await readPassphrase(passphraseFile)) });
  }
  const kept = secrets.move();
  return { keys, [Symbol.dispose]: () => kept.dispose() };
}

/**
 * All bytes of a file, including a line end, as in `rbd`.
 *
 * @throws system errors, such as ENOENT
 */
export async function readPassphrase(path: string): Promise<Secret> {
  try {
    return new Secret(await readFile(path));
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    throw new SiphonError(code, `unable to open passphrase file '${path}': ${code}`, { cause: error });
  }
}
