import { EncryptionError } from "./encryption-error.ts";
import { luksMagic, type ReadHeader } from "./luks-volume.ts";

/**
 * A clone with a key of its own has `RBDL` in place of `LUKS` at the start of its header, and of the second header of
 * LUKS2 (src/librbd/crypto/luks/Magic.cc): programs that support only one key would decrypt the parent's data with it.
 */
export function isCloneHeader(start: Buffer): boolean {
  return start.subarray(0, cloneMagic.length).equals(cloneMagic);
}

/** Turns a new header into that of a clone. */
export function markAsClone(header: Buffer): void {
  cloneMagic.copy(header);
  for (const at of secondHeaders) {
    if (hasMagic(header, at, reversed(luksMagic))) reversed(cloneMagic).copy(header, at);
  }
}

/** The header as every program can open it, for bytes read from the start of the image. */
export function asLuks(read: ReadHeader): ReadHeader {
  return async (offset, length) => {
    const bytes = Buffer.from(await read(offset, length));
    for (const { at, magic } of magicsToRestore(bytes, offset)) magic.copy(bytes, at);
    return bytes;
  };
}

/** The writes that turn a clone's header into a plain LUKS header, when it has no parent any more. */
export async function restoredMagics(read: ReadHeader): Promise<{ at: number; magic: Buffer }[]> {
  const start = await read(0, 16);
  if (!isCloneHeader(start)) return [];
  if (start.readUInt16BE(luksMagic.length) !== 2) return [{ at: 0, magic: luksMagic }];
  const second = Number(start.readBigUInt64BE(8));
  if (!secondHeaders.includes(second)) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_MALFORMED",
      `the LUKS2 header has a size of ${second} bytes`,
    );
  }
  // The second header goes first: the first decides whether the header is a clone's.
  const found = hasMagic(await read(second, luksMagic.length), 0, reversed(cloneMagic));
  return [...(found ? [{ at: second, magic: reversed(luksMagic) }] : []), { at: 0, magic: luksMagic }];
}

const cloneMagic = Buffer.from("RBDL\xba\xbe", "latin1");

/** Possible sizes of a LUKS2 header, which are also the offset of the second header. */
const secondHeaders = Array.from({ length: 9 }, (_, n) => 0x4000 << n);

/** The second header's magic, with the first four letters reversed. */
function reversed(magic: Buffer): Buffer {
  return Buffer.from([magic[3]!, magic[2]!, magic[1]!, magic[0]!, magic[4]!, magic[5]!]);
}

function hasMagic(bytes: Buffer, at: number, magic: Buffer): boolean {
  return bytes.subarray(at, at + magic.length).equals(magic);
}

/** @param offset in the image, of the first of these bytes */
function magicsToRestore(bytes: Buffer, offset: number): { at: number; magic: Buffer }[] {
  const first = offset === 0 && isCloneHeader(bytes) ? [{ at: 0, magic: luksMagic }] : [];
  const second = secondHeaders
    .map((place) => place - offset)
    .filter((at) => at >= 0 && hasMagic(bytes, at, reversed(cloneMagic)))
    .map((at) => ({ at, magic: reversed(luksMagic) }));
  return [...first, ...second];
}
