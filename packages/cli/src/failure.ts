import { constants } from "node:os";
import { SiphonError } from "@siphon/wire";
import { originalStack } from "./original-stack.ts";

/**
 * One clear sentence for the terminal: what happened, why, and what to do. A bug shows its stack.
 *
 * @param interrupted what explains any failure, once it is aborted
 */
export function explain(error: unknown, interrupted?: AbortSignal): string {
  if (interrupted?.aborted) return `siphon: ${(interrupted.reason as Error).message}`;
  if (error instanceof SiphonError) {
    return `siphon: ${error.message}${error.hint ? `\n        ${error.hint}` : ""}`;
  }
  const what = error instanceof Error ? originalStack(error.stack ?? String(error)) : String(error);
  return `siphon: unexpected failure: ${what}`;
}

/** 130 when interrupted, 2 when the call or the machine lacks something, 1 for all else. */
export function exitCodeOf(error: unknown, interrupted: AbortSignal): number {
  if (interrupted.aborted) return 130;
  const code = error instanceof SiphonError ? error.code : "";
  return code === "SIPHON_USAGE" || code === "SIPHON_MISSING_PROGRAM" ? 2 : 1;
}

/** The errno of what went wrong, which is what rbd exits with; 22 (EINVAL) for a call that makes no sense, 1 for options with values that they do not take. */
export function errnoExitCode(error: unknown, interrupted: AbortSignal): number {
  if (interrupted.aborted || !(error instanceof SiphonError)) return exitCodeOf(error, interrupted);
  if (error.code === "SIPHON_BAD_OPTION") return 1;
  if (error.code === "SIPHON_USAGE") return constants.errno.EINVAL;
  const known: Record<string, number> = constants.errno;
  if ("errno" in error && typeof error.errno === "number" && error.errno !== 0) return Math.abs(error.errno);
  return known[error.code] ?? exitCodeOf(error, interrupted);
}
