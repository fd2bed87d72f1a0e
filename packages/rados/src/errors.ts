import { errnoName, SiphonError, type SiphonErrorOptions } from "@siphon/wire";

/**
 * Why an operation failed:
 * - `SIPHON_RADOS_CONFIG`: a setting is missing or invalid;
 * - `SIPHON_RADOS_UNREACHABLE`: no daemon of the wanted kind could be reached;
 * - `SIPHON_RADOS_TIMEOUT`: no answer within the time allowed;
 * - `SIPHON_RADOS_CONNECTION`: a connection was lost or refused; requests in flight may or may not have been executed;
 * - `SIPHON_RADOS_PROTOCOL`: the peer violated the protocol;
 * - `SIPHON_RADOS_AUTH`: the cluster rejected the user or the key;
 * - `SIPHON_RADOS_UNTRUSTED`: the server could not prove its identity;
 * - `SIPHON_RADOS_MODE`: no connection mode that both sides allow;
 * - `SIPHON_RADOS_CLOSED`: the cluster handle was closed;
 * - `SIPHON_RADOS_REMOTE`: the cluster answered with an error number that has no name here;
 * - an errno name (`ENOENT`, `EBUSY`, ...): the cluster answered with that error.
 */
export type RadosErrorCode =
  | "SIPHON_RADOS_CONFIG"
  | "SIPHON_RADOS_UNREACHABLE"
  | "SIPHON_RADOS_TIMEOUT"
  | "SIPHON_RADOS_CONNECTION"
  | "SIPHON_RADOS_PROTOCOL"
  | "SIPHON_RADOS_AUTH"
  | "SIPHON_RADOS_UNTRUSTED"
  | "SIPHON_RADOS_MODE"
  | "SIPHON_RADOS_CLOSED"
  | "SIPHON_RADOS_REMOTE"
  | `E${string}`;

export class RadosError extends SiphonError<RadosErrorCode> {}

/** Names of the `remedy` of a RadosError. */
export type RadosRemedy = {
  readonly name:
    | "name-config"
    | "find-config"
    | "name-monitors"
    | "name-keyring"
    | "check-keyring"
    | "check-key";
};

/** Temporary errors: they end by themselves, with more space, or after the repair of an OSD. */
export const passingErrors: ReadonlySet<string> = new Set([
  "EIO",
  "ENOSPC",
  "EDQUOT",
  "EAGAIN",
  "EBUSY",
  "ETIMEDOUT",
  "EINTR",
  "ENOTCONN",
  "ECONNRESET",
]);

/**
 * The error for a daemon's negative result.
 *
 * @param result as on the wire: a negative Linux errno
 * @param message the request, its target, and the daemon's message
 */
export function remoteError(result: number, message: string, options: SiphonErrorOptions = {}): RadosError {
  const name = errnoName(result);
  const code = name === undefined ? "SIPHON_RADOS_REMOTE" : (name as RadosErrorCode);
  return new RadosError(code, `${message} (${name ?? `error ${-result}`})`, {
    retryable: name !== undefined && passingErrors.has(name),
    ...options,
  });
}
