import { setTimeout as sleep } from "node:timers/promises";

export interface Perseverance {
  /** Whether it is no use to try again. */
  isFinal(error: unknown): boolean;
  /** It did not work at once, and is tried again. */
  failing?(error: Error): void;
  /** Once this is aborted it is tried at once, for the last time. */
  readonly signal?: AbortSignal;
}

/**
 * Tries until it works, with pauses that grow up to five seconds.
 *
 * @throws the error that was final
 */
export async function persevere<T>(
  action: () => Promise<T>,
  { isFinal, failing, signal }: Perseverance,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await action();
    } catch (error) {
      if (isFinal(error) || signal?.aborted) throw error;
      if (tries === 0) failing?.(error as Error);
      const pause = Math.min(firstPause * 2 ** tries, longestPause);
      await sleep(pause, undefined, { ...(signal && { signal }) }).catch(() => {});
    }
  }
}

/** Milliseconds. */
const firstPause = 100;
const longestPause = 5_000;
