import { longestTimer } from "@siphon/wire";
import { RadosError } from "./errors.ts";

export interface WaitOptions {
  /** Milliseconds; default 60,000. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Waits for a promise with a timeout.
 *
 * @param the missing event, as the beginning of a sentence: "no answer to `status`"
 * @throws RadosError SIPHON_RADOS_TIMEOUT; the reason of the signal
 */
export async function within<T>(
  promise: Promise<T>,
  what: string | (() => string),
  { timeout = 60_000, signal }: WaitOptions,
  hint?: string,
): Promise<T> {
  return waitAtMost(promise, { timeout, signal }, () => {
    const text = typeof what === "string" ? what : what();
    const options = { retryable: true, ...(hint !== undefined && { hint }) };
    return new RadosError("SIPHON_RADOS_TIMEOUT", `${text} within ${timeout / 1000} s`, options);
  });
}

/**
 * Waits for a promise for `timeout` milliseconds at most, and until the signal aborts.
 *
 * @param late the error after that time @throws the error from `late`, or the reason of the signal
 */
export async function waitAtMost<T>(
  promise: Promise<T>,
  { timeout, signal }: { readonly timeout: number; readonly signal?: AbortSignal | undefined },
  late: () => Error,
): Promise<T> {
  // It may fail after the wait has ended.
  promise.catch(() => {});
  signal?.throwIfAborted();
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), Math.min(timeout, longestTimer));
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, cut]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
