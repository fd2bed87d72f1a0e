import { createHash } from "node:crypto";
import { TransferError } from "../transfer-error.ts";
import type { CursorStore, TransferCursor } from "./cursor.ts";
import type { SourceState } from "./source-state.ts";

/** Bytes between two cursors: each costs a wait for all requests in flight. */
const usualChunkBytes = 64 * 1024 * 1024;

/**
 * Transfers a source in chunks; each is durable before the cursor moves. Continues from an existing cursor if the
 * transferred part of the source is unchanged.
 *
 * @param carry the chunk must be durable when it settles; with `isBegun` an earlier process may have transferred part
 * of it
 * @throws TransferError SIPHON_TRANSFER_MISMATCH if the source is a different one, or has changed
 */
export async function inChunks(
  source: SourceState,
  cursors: CursorStore,
  carry: (start: number, end: number, isBegun: boolean) => Promise<void>,
): Promise<void> {
  let cursor = await cursors.load();
  let isBegun = cursor !== undefined;
  if (cursor === undefined) {
    cursor = { source: source.identity, position: 0, chunkBytes: chunkBytesOf(source), digest: "" };
    await cursors.save(cursor);
  } else await assertSame(source, cursor);
  for (const [start, end] of chunks(cursor.position, source.size, cursor.chunkBytes)) {
    // Taken before the chunk is read, so that a change during the read is detected later.
    const digest = await digestAfter(cursor.digest, source, start, end);
    await carry(start, end, isBegun);
    isBegun = false;
    cursor = { ...cursor, position: end, digest };
    await cursors.save(cursor);
  }
  await cursors.clear();
}

function chunkBytesOf({ unitBytes }: SourceState): number {
  return unitBytes * Math.max(1, Math.floor(usualChunkBytes / unitBytes));
}

async function assertSame(source: SourceState, cursor: TransferCursor): Promise<void> {
  const { position, chunkBytes } = cursor;
  const isAligned = chunkBytes % source.unitBytes === 0 && position % chunkBytes === 0;
  if (position > source.size || (!isAligned && position < source.size)) {
    throw new TransferError("SIPHON_TRANSFER_MALFORMED", "the cursor of the transfer is invalid", {
      hint: "remove the incomplete copy, and begin again",
    });
  }
  const hint = "remove the incomplete copy, and begin again";
  if (cursor.source !== source.identity) {
    const message = `the incomplete transfer is of another source, or of another state of it`;
    throw new TransferError("SIPHON_TRANSFER_MISMATCH", message, { hint });
  }
  let digest = "";
  for (const [start, end] of chunks(0, cursor.position, cursor.chunkBytes)) {
    digest = await digestAfter(digest, source, start, end);
  }
  if (digest === cursor.digest) return;
  throw new TransferError("SIPHON_TRANSFER_MISMATCH", "the source has changed since the transfer began", {
    hint,
  });
}

async function digestAfter(before: string, source: SourceState, start: number, end: number): Promise<string> {
  return createHash("sha256")
    .update(`${before} ${await source.fingerprint(start, end)}`)
    .digest("hex");
}

function* chunks(start: number, end: number, chunkBytes: number): Generator<[number, number]> {
  for (let at = start; at < end; at += chunkBytes) yield [at, Math.min(at + chunkBytes, end)];
}
