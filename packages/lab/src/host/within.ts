import { LabError } from "../errors.ts";

export interface WithinOptions {
  /** Milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** The event that did not happen, as the start of the message. */
  what: string;
}

/** Awaits `work`, but no longer than `timeoutMs` (SIPHON_TIMEOUT) and only until the signal aborts. */
export async function within<T>(work: Promise<T>, { timeoutMs, signal, what }: WithinOptions): Promise<T> {
  work.catch(() => {}); // it may fail after we have left
  signal?.throwIfAborted();
  const given = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `${what} within ${timeoutMs / 1000} s`;
    given.reject(new LabError("SIPHON_TIMEOUT", message, { retryable: true }));
  }, timeoutMs);
  const abort = () => given.reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, given.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
