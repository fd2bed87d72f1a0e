import type { SessionSecrets } from "../auth.ts";

/**
 * The signature in the footer of a v1 message (CephxSessionHandler::_calc_signature, feature CEPHX_V2): the
 * exclusive or of the four 64-bit words of
 *
 *     the session key's signature of { u32 header crc, u32 front crc, u32 front length, u32 middle crc,
 *                   u32 middle length, u32 data crc, u32 data length, u32 low half of the sequence number }
 *
 * with a key of type aes encrypted by AES-128-CBC, with one of type aes256k as HMAC-SHA-256.
 */
export class MessageSigner {
  readonly #key: NonNullable<SessionSecrets["sessionKey"]>;
  readonly #block = Buffer.alloc(32);
  low = 0;
  high = 0;

  constructor(sessionKey: NonNullable<SessionSecrets["sessionKey"]>) {
    this.#key = sessionKey;
  }

  /**
   * Sets `low` and `high` to the signature.
   *
   * @param headerCrcAt where the header's checksum is in `view`
   * @param footerAt where the three checksums of the footer are
   */
  sign(
    view: DataView,
    headerCrcAt: number,
    footerAt: number,
    frontLength: number,
    middleLength: number,
    dataLength: number,
    seq: number,
  ): void {
    const b = this.#block;
    b.writeUInt32LE(view.getUint32(headerCrcAt, true), 0);
    b.writeUInt32LE(view.getUint32(footerAt, true), 4);
    b.writeUInt32LE(frontLength, 8);
    b.writeUInt32LE(view.getUint32(footerAt + 4, true), 12);
    b.writeUInt32LE(middleLength, 16);
    b.writeUInt32LE(view.getUint32(footerAt + 8, true), 20);
    b.writeUInt32LE(dataLength, 24);
    b.writeUInt32LE(seq >>> 0, 28);
    const sealed = this.#key.sign(b);
    this.low = 0;
    this.high = 0;
    for (let at = 0; at < 32; at += 8) {
      this.low ^= sealed.readInt32LE(at);
      this.high ^= sealed.readInt32LE(at + 4);
    }
  }

  matches(view: DataView, at: number): boolean {
    return view.getInt32(at, true) === this.low && view.getInt32(at + 4, true) === this.high;
  }
}
