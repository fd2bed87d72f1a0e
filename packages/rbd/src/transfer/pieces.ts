import type { SpareBuffers } from "./spare-buffers.ts";

/**
 * The bytes of a stream in pieces of `pieceBytes` each, the last one shorter.
 *
 * @param buffers source of the pieces; the consumer returns them
 */
export async function* pieces(
  portions: AsyncIterable<Buffer>,
  pieceBytes: number,
  buffers: SpareBuffers,
): AsyncGenerator<Buffer, void, undefined> {
  let piece: Buffer | undefined;
  let filled = 0;
  for await (const portion of portions) {
    for (let at = 0; at < portion.length; ) {
      piece ??= buffers.take(pieceBytes);
      const copied = portion.copy(piece, filled, at);
      at += copied;
      filled += copied;
      if (filled < piece.length) continue;
      filled = 0;
      const full = piece;
      piece = undefined;
      yield full;
    }
  }
  if (filled > 0) yield piece!.subarray(0, filled);
}
