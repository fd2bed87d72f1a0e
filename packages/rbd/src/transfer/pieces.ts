/**
 * The bytes of a stream in pieces of `pieceBytes` each, the last one shorter; a portion that is a piece already is passed on
 * as it is. Each piece is the taker's.
 *
 * @param length of all, in bytes, if known; saves the last piece from being allocated whole
 */
export async function* pieces(
  portions: AsyncIterable<Buffer>,
  pieceBytes: number,
  length = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer, void, undefined> {
  let left = length;
  let piece: Buffer | undefined;
  let filled = 0;
  for await (const portion of portions) {
    for (let at = 0; at < portion.length; ) {
      const wanted = Math.min(pieceBytes, left);
      if (piece === undefined && portion.length - at >= wanted) {
        yield portion.subarray(at, at + wanted);
        at += wanted;
        left -= wanted;
        continue;
      }
      piece ??= Buffer.allocUnsafeSlow(wanted);
      const copied = portion.copy(piece, filled, at);
      at += copied;
      filled += copied;
      if (filled < piece.length) continue;
      left -= filled;
      filled = 0;
      const full = piece;
      piece = undefined;
      yield full;
    }
  }
  if (filled > 0) yield piece!.subarray(0, filled);
}
