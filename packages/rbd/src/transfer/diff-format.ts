/**
 * The two formats of a diff between two states of an image (Ceph's doc/dev/rbd-diff.rst, src/tools/rbd/Utils.h): a banner,
 * records, and the record `e`. Each record is a tag; in format 2 the length of what follows (u64) unless it is `e`; and
 *
 *     f  string  the snapshot it starts from            w  u64 offset, u64 length, the bytes
 *     t  string  the snapshot it leads to               z  u64 offset, u64 length (zeros)
 *     p  u8      whether that is protected (format 2)   s  u64 size of the image in the end
 *
 * Integers are little-endian; a string is a u32 length and its bytes. `f`, `t`, `p` and `s` come before `w` and `z`.
 */
export type DiffFormat = 1 | 2;

export const diffBanner = { 1: "rbd diff v1\n", 2: "rbd diff v2\n" } as const;

export const diffTag = {
  fromSnapshot: 0x66,
  toSnapshot: 0x74,
  protection: 0x70,
  size: 0x73,
  write: 0x77,
  zero: 0x7a,
  end: 0x65,
} as const;

/** Bytes of the longest snapshot name that `rbd` reads. */
export const longestName = 4096;

export interface DiffHeader {
  /** The snapshot that the diff starts from; undefined: from nothing. */
  readonly from?: string | undefined;
  /** The snapshot that it leads to; undefined: to the head. */
  readonly to?: string | undefined;
  /** Whether the snapshot that it leads to is protected (format 2 only). */
  readonly isProtected?: boolean | undefined;
  /** Size of the image at the end, in bytes; every writer gives it. */
  readonly size?: number | undefined;
}

/** Bytes of the image that are written, or become zeros. */
export interface DiffRecord {
  readonly type: "write" | "zero";
  readonly offset: number;
  readonly length: number;
}
