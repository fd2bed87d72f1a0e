import { waitAtMost } from "@siphon/rados/engine";
import { LabError } from "../errors.ts";

export interface WithinOptions {
  /** Milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** The event that did not happen, as the start of the message. */
  what: string;
}

/** Awaits `work`, but no longer than `timeoutMs` (SIPHON_TIMEOUT) and only until the signal aborts. */
export function within<T>(work: Promise<T>, { timeoutMs, signal, what }: WithinOptions): Promise<T> {
  return waitAtMost(work, { timeout: timeoutMs, signal }, () => {
    const message = `${what} within ${timeoutMs / 1000} s`;
    return new LabError("SIPHON_TIMEOUT", message, { retryable: true });
  });
}
