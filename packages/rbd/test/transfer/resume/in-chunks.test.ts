import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { type CursorStore, fileCursor, type TransferCursor } from "../../../src/transfer/resume/cursor.ts";
import { inChunks } from "../../../src/transfer/resume/in-chunks.ts";
import type { SourceState } from "../../../src/transfer/resume/source-state.ts";

const mib = 2 ** 20;
const size = 200 * mib;

test("what was carried is not carried again, and the chunk that was begun comes first", async () => {
  const cursors = new MemoryCursor();
  const source = stateOf();
  const first = await carriedUntil(source, cursors, 2);
  assert.deepEqual(first, [0, 64, 128]);
  assert.equal(cursors.cursor?.position, 128 * mib);
  const second: [number, boolean][] = [];
  await inChunks(source, cursors, async (start, end, isBegun) => {
    second.push([start / mib, isBegun]);
    assert.equal(end, Math.min(start + 64 * mib, size));
  });
  assert.deepEqual(second, [
    [128, true],
    [192, false],
  ]);
  assert.equal(cursors.cursor, undefined);
});

test("a cursor that leads nowhere is refused, and not followed for ever", async () => {
  for (const wrong of [
    { chunkBytes: 3 * mib },
    { position: 5 * mib },
    { position: size + 64 * mib },
    { position: 64 * mib, chunkBytes: 1 },
  ]) {
    const cursors = new MemoryCursor();
    await carriedUntil(stateOf(), cursors, 1);
    cursors.cursor = { ...cursors.cursor!, ...wrong };
    const carried = inChunks(stateOf(), cursors, async () => {});
    await assert.rejects(carried, { code: "SIPHON_TRANSFER_MALFORMED" }, JSON.stringify(wrong));
  }
  const file = join(await mkdtemp(join(tmpdir(), "siphon-cursor-")), "cursor");
  try {
    for (const chunkBytes of [0, -1, 0.5, "1"]) {
      await writeFile(file, JSON.stringify({ source: "s", position: 0, digest: "", chunkBytes }));
      await assert.rejects(fileCursor(file).load(), { code: "SIPHON_TRANSFER_MALFORMED" });
    }
  } finally {
    await rm(dirname(file), { recursive: true });
  }
});

test("a source that was changed where it was carried already is refused, behind that it is not", async () => {
  for (const [changed, refused] of [
    [0, true],
    [127, true],
    [128, false],
  ] as const) {
    const cursors = new MemoryCursor();
    const source = stateOf();
    await carriedUntil(source, cursors, 2);
    const later = inChunks(stateOf(changed * mib), cursors, async () => {});
    if (refused) await assert.rejects(later, { code: "SIPHON_TRANSFER_MISMATCH" });
    else await later;
  }
});

test("what changes while it is carried is found to be changed", async () => {
  const cursors = new MemoryCursor();
  let source = stateOf();
  const following: SourceState = { ...source, fingerprint: (...range) => source.fingerprint(...range) };
  await assert.rejects(
    inChunks(following, cursors, async (start) => {
      source = stateOf(0);
      if (start > 0) throw new Error("killed");
    }),
    /killed/,
  );
  await assert.rejects(
    inChunks(following, cursors, async () => {}),
    { code: "SIPHON_TRANSFER_MISMATCH" },
  );
});

test("another source is refused", async () => {
  const cursors = new MemoryCursor();
  await carriedUntil(stateOf(), cursors, 1);
  const other = { ...stateOf(), identity: "other" };
  await assert.rejects(
    inChunks(other, cursors, async () => {}),
    /is of another source/,
  );
});

test("chunks are whole objects or stripes, however large those are", async () => {
  const starts: number[] = [];
  const source = { ...stateOf(), unitBytes: 96 * mib };
  await inChunks(source, new MemoryCursor(), async (start) => void starts.push(start / mib));
  assert.deepEqual(starts, [0, 96, 192]);
});

class MemoryCursor implements CursorStore {
  cursor: TransferCursor | undefined;

  async load(): Promise<TransferCursor | undefined> {
    return this.cursor;
  }

  async save(cursor: TransferCursor): Promise<void> {
    this.cursor = cursor;
  }

  async clear(): Promise<void> {
    this.cursor = undefined;
  }
}

/** @param changedAt a byte that was changed */
function stateOf(changedAt?: number): SourceState {
  const isIn = (start: number, end: number) =>
    changedAt !== undefined && start <= changedAt && changedAt < end;
  return {
    ...{ identity: "source", size, unitBytes: 4 * mib },
    fingerprint: async (start, end) => `${start} ${end} ${isIn(start, end)}`,
  };
}

/** Starts of the chunks, in MiB; the last of them fails. */
async function carriedUntil(source: SourceState, cursors: CursorStore, whole: number): Promise<number[]> {
  const starts: number[] = [];
  const carried = inChunks(source, cursors, async (start) => {
    starts.push(start / mib);
    if (starts.length > whole) throw new Error("killed");
  });
  await assert.rejects(carried, /killed/);
  return starts;
}
