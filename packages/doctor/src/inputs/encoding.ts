export type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** UTF-16 if a byte order mark says so (Windows tools write it), otherwise UTF-8. */
export function encodingOf([first, second]: Uint8Array): Encoding {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

/** Decodes a file and keeps its byte order mark, so that writing the text back gives the same bytes. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes), { ignoreBOM: true }).decode(bytes);
}
