import { setTimeout as sleep } from "node:timers/promises";

export interface Perseverance {
  /** Whether an error is final. */
  isFinal(error: unknown): boolean;
  /** The first attempt failed, and it is retried. */
  failing?(error: Error): void;
  /** When aborted, it makes a last attempt at once. */
  readonly signal?: AbortSignal;
}

/**
 * Retries until it succeeds, with pauses that grow up to five seconds.
 *
 * @throws the final error
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
