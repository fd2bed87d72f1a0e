import { handshakeFlag, info, maxPayload, optionMagic, optionReplyMagic, serverMagic } from "./protocol.ts";

/** The first bytes of a server: u64 `NBDMAGIC`, u64 `IHAVEOPT`, u16 flags. */
export function greeting(): Buffer {
  const bytes = Buffer.alloc(18);
  [...serverMagic, ...optionMagic].forEach((word, i) => {
    bytes.writeUInt32BE(word, 4 * i);
  });
  bytes.writeUInt16BE(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes, 16);
  return bytes;
}

/** Any answer to an option but the oldest: u64 magic, u32 option, u32 reply type, u32 length, the data. */
export function optionReply(option: number, type: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc(20 + data.length);
  bytes.writeUInt32BE(optionReplyMagic[0], 0);
  bytes.writeUInt32BE(optionReplyMagic[1], 4);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(type, 12);
  bytes.writeUInt32BE(data.length, 16);
  data.copy(bytes, 20);
  return bytes;
}

/** To EXPORT_NAME: u64 size, u16 transmission flags, and 124 zeros unless NO_ZEROES was negotiated. */
export function chosenExport(size: number, flags: number, zeroes: boolean): Buffer {
  const bytes = Buffer.alloc(zeroes ? 10 + 124 : 10);
  bytes.writeBigUInt64BE(BigInt(size), 0);
  bytes.writeUInt16BE(flags, 8);
  return bytes;
}

/** One of LIST: u32 length of the name, the name, the description. */
export function listedExport(name: string, description: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(name));
  return Buffer.concat([length, Buffer.from(name), Buffer.from(description)]);
}

/** One of LIST_META_CONTEXT or SET_META_CONTEXT: u32 id, the name. */
export function metaContext(id: number, name: string): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(id, 0);
  return Buffer.concat([bytes, Buffer.from(name)]);
}

/** u16 item, u64 size, u16 transmission flags. */
export function exportInfo(size: number, flags: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(info.export, 0);
  bytes.writeBigUInt64BE(BigInt(size), 2);
  bytes.writeUInt16BE(flags, 10);
  return bytes;
}

/** u16 item, the text. */
export function textInfo(item: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([0, item]), Buffer.from(text)]);
}

/** u16 item, u32 least, preferred and largest size of a request. */
export function blockSizeInfo(): Buffer {
  const bytes = Buffer.alloc(14);
  bytes.writeUInt16BE(info.blockSize, 0);
  bytes.writeUInt32BE(1, 2);
  bytes.writeUInt32BE(preferredBlock, 6);
  bytes.writeUInt32BE(maxPayload, 10);
  return bytes;
}

/** The smallest efficient request, to which clients round: a page. */
const preferredBlock = 4096;
