import { readFile, rm } from "node:fs/promises";
import { unless } from "../../errors.ts";
import type { Image } from "../../image.ts";
import { writeDurably } from "../backup/durable-file.ts";
import { TransferError } from "../transfer-error.ts";

/** The state of a transfer: everything before `position` is durable. */
export interface TransferCursor {
  /** The source, as `SourceState.identity` names it. */
  readonly source: string;
  /** Bytes, from the start of the image. */
  readonly position: number;
  /** Bytes between two cursors. */
  readonly chunkBytes: number;
  /** Digest of the source up to the position, at the time of reading. */
  readonly digest: string;
}

/** The place of a stored cursor. */
export interface CursorStore {
  load(): Promise<TransferCursor | undefined>;
  save(cursor: TransferCursor): Promise<void>;
  clear(): Promise<void>;
}

/** For an export: a file next to the exported one. */
export function fileCursor(path: string): CursorStore {
  return {
    load: async () => {
      try {
        return decode(await readFile(path, "utf8"), path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    save: (cursor) => writeDurably(path, async (file) => void (await file.writeFile(JSON.stringify(cursor)))),
    clear: () => rm(path, { force: true }),
  };
}

/** In the metadata of the new image. */
export function metadataCursor(image: Image): CursorStore {
  return {
    load: async () => {
      const text = await image.metadata.get(cursorKey).catch(unless("ENOENT"));
      return text === undefined ? undefined : decode(text, `the metadata of image ${image.name}`);
    },
    save: (cursor) => image.metadata.set(new Map([[cursorKey, JSON.stringify(cursor)]])),
    clear: () => image.metadata.remove(cursorKey),
  };
}

export const cursorKey = "siphon_transfer";

function decode(text: string, where: string): TransferCursor {
  try {
    const { source, position, chunkBytes, digest } = JSON.parse(text) as Partial<TransferCursor>;
    if (
      typeof source === "string" &&
      typeof digest === "string" &&
      isCount(position) &&
      isCount(chunkBytes) &&
      chunkBytes > 0
    ) {
      return { source, position, chunkBytes, digest };
    }
  } catch {}
  throw new TransferError("SIPHON_TRANSFER_MALFORMED", `${where} has no cursor of a transfer`);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
