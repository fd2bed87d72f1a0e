import { errnoName, SiphonError, type SiphonErrorOptions } from "@siphon/wire";

/**
 * Why something at the cluster did not work:
 * - `SIPHON_RADOS_CONFIG`: a setting is missing or says nothing usable;
 * - `SIPHON_RADOS_UNREACHABLE`: no daemon of the wanted kind could be reached;
 * - `SIPHON_RADOS_TIMEOUT`: no answer within the time allowed;
 * - `SIPHON_RADOS_CONNECTION`: a connection was lost or refused; what was under way may or may not have happened;
 * - `SIPHON_RADOS_PROTOCOL`: the peer sent what the protocol does not allow;
 * - `SIPHON_RADOS_AUTH`: the cluster does not accept who we say we are;
 * - `SIPHON_RADOS_UNTRUSTED`: the server could not prove that it is who it should be;
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

/** Names of what `remedy` of a RadosError advises. */
export type RadosRemedy = {
  readonly name:
    | "name-config"
    | "find-config"
    | "name-monitors"
    | "name-keyring"
    | "check-keyring"
    | "check-key";
};

/** Errors that go away without a change of the request: by themselves, with more room, or when an OSD is repaired. */
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
 * The error for a negative result that a daemon answered with.
 *
 * @param result as on the wire: a negative Linux errno
 * @param message what was asked, of whom, and the daemon's own words
 */
export function remoteError(result: number, message: string, options: SiphonErrorOptions = {}): RadosError {
  const name = errnoName(result);
  const code = name === undefined ? "SIPHON_RADOS_REMOTE" : (name as RadosErrorCode);
  return new RadosError(code, `${message} (${name ?? `error ${-result}`})`, {
    retryable: name !== undefined && passingErrors.has(name),
    ...options,
  });
}
