export type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** UTF-8, or UTF-16 where a byte order mark says so, as Windows' tools write it. */
export function encodingOf([first, second]: Uint8Array): Encoding {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

/** The text of a file, its byte order mark included: what is written back is then what was read. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes), { ignoreBOM: true }).decode(bytes);
}
