import { type Pool, type SnapContext, WriteOperation } from "@siphon/rados";
import { hasCode } from "../errors.ts";
import type { OnProgress } from "../progress.ts";
import type { MaintainedImage } from "./maintained-image.ts";

export interface EachObjectOptions {
  progress?: OnProgress | undefined;
  /** Default number of objects to process concurrently (rbd_concurrent_management_ops). */
  atOnce?: number;
}

/**
 * Processes the objects from `first` up to, not including, `end`, several at a time, in order. When it returns or
 * throws, nothing is in flight.
 */
export async function eachObject(
  first: number,
  end: number,
  work: (objectNumber: number) => Promise<void>,
  { progress, atOnce = 10 }: EachObjectOptions = {},
): Promise<void> {
  const total = end - first;
  let next = first;
  let done = 0;
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    while (next < end && failure === undefined) {
      try {
        await work(next++);
      } catch (error) {
        failure ??= { error };
        return;
      }
      progress?.(++done, total);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, total) }, worker));
  if (failure !== undefined) throw failure.error;
}

/** Number of objects of an open image that a task processes concurrently. */
export function atOnce({ settings }: Pick<MaintainedImage, "settings">): number {
  return settings.number("rbd_concurrent_management_ops");
}

/** Changes an object that need not exist. */
export async function changeIfThere(
  pool: Pool,
  object: string,
  operation: WriteOperation<unknown[]>,
  snapContext: SnapContext,
): Promise<void> {
  try {
    await pool.operate(object, operation, { snapContext });
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

/** Removes an object, or truncates it to `keep` bytes; snapshots keep their data. */
export async function trimObject(
  pool: Pool,
  object: string,
  keep: number,
  snapContext: SnapContext,
): Promise<void> {
  const operation = new WriteOperation<unknown[]>();
  if (keep === 0) operation.remove();
  else operation.assertExists();
  if (keep > 0) operation.truncate(keep);
  await changeIfThere(pool, object, operation, snapContext);
}
