import { SiphonError } from "@siphon/wire";

/**
 * Does something; if it fails, takes back what was begun.
 *
 * @throws why it failed, whether it could be taken back or not
 */
export async function orUndo<T>(action: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    await undo().catch(onlyFaults);
    throw error;
  }
}

/** Passes over what could not be taken back for a reason outside of this program; for `catch` of a Promise. */
export function onlyFaults(error: unknown): void {
  if (!(error instanceof SiphonError)) throw error;
}
