import { RadosError } from "./errors.ts";

export interface WaitOptions {
  /** Milliseconds; default 60,000. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Waits for what settles elsewhere, but no longer than allowed: then it throws SIPHON_RADOS_TIMEOUT, or the reason
 * of the signal.
 *
 * @param what was waited for, as the beginning of a sentence: "no answer to `status`"
 */
export async function within<T>(
  promise: Promise<T>,
  what: string | (() => string),
  { timeout = 60_000, signal }: WaitOptions,
  hint?: string,
): Promise<T> {
  signal?.throwIfAborted();
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const text = typeof what === "string" ? what : what();
    const options = { retryable: true, ...(hint !== undefined && { hint }) };
    reject(new RadosError("SIPHON_RADOS_TIMEOUT", `${text} within ${timeout / 1000} s`, options));
  }, timeout);
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, cut]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
