import { errno, errnoNumber, SiphonError } from "@siphon/wire";
import { errnoText } from "./errno-text.ts";
import { originalStack } from "./original-stack.ts";
import { adviceText } from "./remedies.ts";

/**
 * One sentence for the terminal: what happened, why, and what to do. For a bug, also its stack.
 *
 * @param interrupted once aborted, its reason explains every failure, except for resources that could not be removed
 * @param withErrno adds the errno in the form of Ceph's programs
 */
export function explain(error: unknown, interrupted?: AbortSignal, withErrno = false): string {
  if (interrupted?.aborted) {
    const all = [interrupted.reason, ...leftBehind(error)];
    return all.map((each) => `siphon: ${sentence(each, withErrno)}`).join("\n");
  }
  const first = firstOf(error);
  const all = [first, ...leftBehind(error).filter((left) => left !== first)];
  return all.map((each) => `siphon: ${sentence(each, withErrno)}`).join("\n");
}

/** The error that caused the unwinding, without the errors that occurred during it. */
function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error;
}

/** The errors about resources that the unwinding could not remove, innermost first. */
function leftBehind(error: unknown): unknown[] {
  if (error instanceof SuppressedError) return [error.suppressed, error.error].flatMap(leftBehind);
  return error instanceof SiphonError && error.code === "SIPHON_LEFT_BEHIND" ? [error] : [];
}

function sentence(error: unknown, withErrno: boolean): string {
  if (error instanceof SiphonError) {
    const { message } = error;
    const advice = adviceText(error);
    const number = errnoOf(error);
    const also = withErrno && number !== undefined && !isUsage(error) && !message.includes(`(${number})`);
    return `${message}${also ? `: ${errnoText(number)}` : ""}${advice ? `\n        ${advice}` : ""}`;
  }
  if (isSystemError(error)) {
    const { syscall = "use", path } = error;
    return `cannot ${syscall}${path === undefined ? "" : ` ${path}`}: ${errnoText(errnoOf(error)!)}`;
  }
  if (error instanceof Error && error.name === "AbortError") return error.message;
  const what = error instanceof Error ? originalStack(error.stack ?? String(error)) : String(error);
  return error instanceof Interrupted ? error.message : `unexpected failure: ${what}`;
}

/** The reason of an abort by a signal. */
export class Interrupted extends Error {}

/** 130 after an interruption, 2 for a usage error or if the machine lacks something, 1 for everything else. */
export function exitCodeOf(thrown: unknown, interrupted: AbortSignal): number {
  const error = firstOf(thrown);
  if (interrupted.aborted) return isSystemError(interrupted.reason) ? errnoOf(interrupted.reason)! : 130;
  const code = error instanceof SiphonError ? error.code : "";
  return code === "SIPHON_USAGE" || code === "SIPHON_MISSING_PROGRAM" ? 2 : 1;
}

/**
 * The errno of the failure, which is the exit code of rbd and ceph: 22 (EINVAL) for a usage error, 1 for an option with a value
 * that it does not take.
 */
export function errnoExitCode(thrown: unknown, interrupted: AbortSignal): number {
  if (interrupted.aborted) return exitCodeOf(thrown, interrupted);
  const error = firstOf(thrown);
  if (error instanceof SiphonError && error.code === "SIPHON_BAD_OPTION") return 1;
  if (isUsage(error)) return errno.EINVAL;
  if (error instanceof SiphonError && error.code === "SIPHON_RADOS_AUTH") return errno.EACCES;
  return errnoOf(error) ?? exitCodeOf(error, interrupted);
}

/** Like `errnoExitCode`, and for a failed connection the errno that rbd exits with. `ceph` exits with 1 for that. */
export function rbdExitCode(thrown: unknown, interrupted: AbortSignal): number {
  const error = firstOf(thrown);
  if (!interrupted.aborted && error instanceof SiphonError) {
    if (error.code === "SIPHON_RADOS_UNREACHABLE" || error.code === "SIPHON_RADOS_TIMEOUT") {
      return errno.ETIMEDOUT;
    }
    const { name } = error.code === "SIPHON_RADOS_CONFIG" ? (error.remedy ?? {}) : {};
    if (name === "name-keyring" || name === "name-monitors" || name === "find-config") return errno.ENOENT;
    if (name === "check-key") return errno.EINVAL;
    // If the file cannot be read at all, the errno of reading it.
    if (name === "check-keyring") return isSystemError(error.cause) ? errnoOf(error.cause)! : errno.EIO;
  }
  return errnoExitCode(error, interrupted);
}

/** The exit code of rados: 1 for every failure. */
export function onlyOne(error: unknown, interrupted: AbortSignal): number {
  return interrupted.aborted ? exitCodeOf(error, interrupted) : 1;
}

/** The errno as a positive number; undefined if the error has none. */
function errnoOf(error: unknown): number | undefined {
  if (isSystemError(error)) return Math.abs(error.errno!);
  if (!(error instanceof SiphonError)) return undefined;
  if ("errno" in error && typeof error.errno === "number" && error.errno !== 0) return Math.abs(error.errno);
  return errnoNumber(error.code);
}

function isUsage(error: unknown): boolean {
  return error instanceof SiphonError && error.code === "SIPHON_USAGE";
}

/** Whether the error comes from a system call. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error &&
    !(error instanceof SiphonError) &&
    "syscall" in error &&
    "errno" in error &&
    typeof error.errno === "number"
  );
}
