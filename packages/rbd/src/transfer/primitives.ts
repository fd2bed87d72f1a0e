import type { ByteSource } from "./byte-source.ts";
import { TransferError } from "./transfer-error.ts";

/** Reads and returns one of the banners, none of which is a prefix of another. */
export async function expectBanner<Banner extends string>(
  source: ByteSource,
  banners: readonly Banner[],
): Promise<Banner> {
  const length = Math.min(...banners.map((banner) => banner.length));
  const start = (await source.exactly(length)).toString("latin1");
  const banner = banners.find((known) => known.startsWith(start));
  const rest = banner && (await source.exactly(banner.length - length)).toString("latin1");
  if (banner !== undefined && start + rest === banner) return banner;
  throw new TransferError(
    "SIPHON_TRANSFER_BANNER",
    `${source.what} begins with ${JSON.stringify(start)} where ${banners.map((known) => JSON.stringify(known)).join(" or ")} is expected`,
    { hint: "diffs, exports of format 1 (only the data) and exports of format 2 are different formats" },
  );
}

/** A little-endian u64 from `source`; rejects 2^53 and more, beyond any image. */
export function safeU64(source: ByteSource, bytes: Buffer, at = 0): number {
  const high = bytes.readUInt32LE(at + 4);
  if (high > 0x1fffff) throw source.malformed("a number of 2^53 or more");
  return high * 0x1_0000_0000 + bytes.readUInt32LE(at);
}

/** UTF-8 text behind a u32 length, of at most `longest` bytes. */
export async function readString(source: ByteSource, longest: number): Promise<string> {
  const length = (await source.exactly(4)).readUInt32LE();
  if (length > longest) throw source.malformed(`text of ${length} bytes; the maximum is ${longest}`);
  return (await source.exactly(length)).toString("utf8");
}

export function tagName(tag: number): string {
  return tag > 0x20 && tag < 0x7f
    ? `'${String.fromCharCode(tag)}'`
    : `0x${tag.toString(16).padStart(2, "0")}`;
}
