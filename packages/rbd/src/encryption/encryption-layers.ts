import type { Secret } from "@siphon/wire";
import { imageFeature } from "../image-state.ts";
import type { ImageLayer } from "../io/image-layer.ts";
import { readBytes } from "../io/image-operations.ts";
import { EncryptionError } from "./encryption-error.ts";
import { readLuks, unlock } from "./luks.ts";
import type { LuksVolume, ReadHeader } from "./luks-volume.ts";
import { SectorCipher } from "./sector-cipher.ts";

/** The key of one layer: the image, or one of the images that it was cloned from. */
export interface LayerKey {
  /** Required version of LUKS; undefined: any. */
  readonly version?: 1 | 2 | undefined;
  readonly passphrase: Secret;
}

/** How an image's bytes are encrypted. Images that share a key share the layer. */
export interface Layer {
  readonly volume: LuksVolume;
  readonly cipher: SectorCipher;
}

/** By `imageKey`; null for unencrypted images. */
export type Layers = ReadonlyMap<string, Layer | null>;

/** Identifies an image, regardless of its snapshot. */
export function imageKey({ state }: ImageLayer): string {
  return `${state.poolId}/${state.namespace}/${state.id}`;
}

/**
 * Opens the encryption of an image and its ancestors, as librbd does (src/librbd/crypto/LoadRequest.cc). The first key
 * is the image's, the next its parent's; the last key is tried on all further ancestors. An ancestor without a LUKS
 * header ends the encryption. A header that does not open is an error, because its data would be decrypted to garbage.
 */
export async function loadLayers(io: ImageLayer, keys: readonly LayerKey[]): Promise<Layers> {
  const chain = chainOf(io);
  const last = keys.at(-1);
  if (last === undefined) throw new RangeError("no key was given");
  const journaled = chain.find(({ state }) => (state.features & imageFeature.journaling) !== 0);
  if (journaled !== undefined) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_UNSUPPORTED",
      `${nameIn(chain, journaled)} has feature journaling: siphon cannot open such an image with encryption`,
    );
  }
  const layers = new Map<string, Layer | null>();
  const opened: { layer: Layer; key: Secret }[] = [];
  try {
    for (const [index, image] of chain.entries()) {
      const read: ReadHeader = (offset, length) => readBytes(image, offset, length);
      try {
        const { volume, key } = await open(image, read, keys[index] ?? last);
        const known = opened.find((each) => isSame(each, volume, key));
        if (known !== undefined) key[Symbol.dispose]();
        const layer = known?.layer ?? { volume, cipher: new SectorCipher(key.bytes, volume.sectorBytes) };
        if (known === undefined) opened.push({ layer, key });
        layers.set(imageKey(image), layer);
      } catch (error) {
        const isPlain = error instanceof EncryptionError && error.code === "SIPHON_ENCRYPTION_ABSENT";
        if (!isPlain || index < keys.length) throw named(error, chain, image);
        for (const plain of chain.slice(index)) layers.set(imageKey(plain), null);
        return layers;
      }
    }
  } finally {
    for (const { key } of opened) key[Symbol.dispose]();
  }
  if (keys.length > chain.length) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_LAYERS",
      `${keys.length} keys were given, but image ${io.state.name} has ${chain.length - 1} ancestors`,
    );
  }
  return layers;
}

function chainOf(io: ImageLayer): ImageLayer[] {
  const chain: ImageLayer[] = [];
  for (let at: ImageLayer | undefined = io; at !== undefined; at = at.parent) chain.push(at);
  return chain;
}

async function open(
  image: ImageLayer,
  read: ReadHeader,
  { version, passphrase }: LayerKey,
): Promise<{ volume: LuksVolume; key: Secret }> {
  const volume = await readLuks(read, { isClone: image.parent !== undefined });
  assertFits(volume, version, image.size);
  return { volume, key: await unlock(volume, read, passphrase) };
}

/** @param size of the image, in bytes */
export function assertFits(volume: LuksVolume, version: 1 | 2 | undefined, size: number): void {
  if (version !== undefined && volume.version !== version) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_UNSUPPORTED",
      `the image is encrypted with LUKS${volume.version}, not LUKS${version}`,
    );
  }
  if (volume.dataOffset > size) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_SPACE",
      `the encrypted data begins at byte ${volume.dataOffset}, beyond the end of the image at ${size}`,
    );
  }
}

function isSame(known: { layer: Layer; key: Secret }, volume: LuksVolume, key: Secret): boolean {
  const { dataOffset, sectorBytes, firstSector } = known.layer.volume;
  return (
    dataOffset === volume.dataOffset &&
    sectorBytes === volume.sectorBytes &&
    firstSector === volume.firstSector &&
    known.key.bytes.equals(key.bytes)
  );
}

/** Names the image in the error. */
function named(error: unknown, chain: readonly ImageLayer[], image: ImageLayer): unknown {
  if (!(error instanceof EncryptionError) || image === chain[0]) return error;
  return new EncryptionError(error.code, `${nameIn(chain, image)}: ${error.message}`, {
    cause: error,
    hint: "give a format and a passphrase for each layer: the image's first, then its parent's",
  });
}

function nameIn(chain: readonly ImageLayer[], image: ImageLayer): string {
  if (image === chain[0]) return `image ${image.state.name}`;
  return `parent image ${image.state.id} (${chain.indexOf(image)} above ${chain[0]!.state.name})`;
}
