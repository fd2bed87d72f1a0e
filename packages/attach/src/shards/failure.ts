import { adviceOf, type Remedy, SiphonError } from "@siphon/wire";

/** An error as sent from one process to another. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** The program words it: see SiphonError. */
  readonly remedy?: Remedy;
  readonly retryable: boolean;
}

/** @param code code for errors that are not siphon's */
export function failureOf(error: unknown, code = "SIPHON_ATTACH_SHARD"): Failure {
  if (error instanceof SiphonError) {
    const { code, message, retryable } = error;
    return { code, message, ...adviceOf(error), retryable };
  }
  if (error instanceof Error && "syscall" in error) {
    return { code, message: error.message, retryable: false };
  }
  const message = `unexpected failure: ${error instanceof Error ? error.stack : String(error)}`;
  return { code, message, retryable: false };
}

export function errorOf({ code, message, ...options }: Failure): SiphonError {
  return new SiphonError(code, message, options);
}
