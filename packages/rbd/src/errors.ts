import { remoteError } from "@siphon/rados";
import { errno, errnoNumber, SiphonError, type SiphonErrorOptions } from "@siphon/wire";

/**
 * Why an operation on an image failed:
 * - `SIPHON_RBD_UNSUPPORTED`: siphon does not support the image's format or features for this operation;
 * - `SIPHON_RBD_NO_IMAGE`, `SIPHON_RBD_NO_SNAPSHOT`, `SIPHON_RBD_NO_GROUP`, `SIPHON_RBD_NO_POOL`: nothing has that
 *   name;
 * - `SIPHON_RBD_EXISTS`: the name is taken;
 * - `SIPHON_RBD_BUSY`: another client's use of the image forbids the operation; `retryable`;
 * - `SIPHON_RBD_LOCKED`: the owner of the image's lock keeps it;
 * - `SIPHON_RBD_FENCED`: this client was put on the blocklist, and another client has its lock: its writes no longer
 *   arrive;
 * - `SIPHON_RBD_READ_ONLY`: opened read-only, or at a snapshot;
 * - `SIPHON_RBD_LIMIT`: the image has reached its limit of snapshots;
 * - `SIPHON_RBD_INVALID`: invalid arguments;
 * - `SIPHON_RBD_CLOSED`: the image was closed;
 * - `SIPHON_RBD_REFUSED`: the lock's owner could not carry out the requested operation;
 * - `SIPHON_RBD_WORKER`: a worker thread of the image ended, and therefore the image. Its writes may still arrive, so
 *   the lock is not released.
 */
export type RbdErrorCode =
  | "SIPHON_RBD_UNSUPPORTED"
  | "SIPHON_RBD_NO_IMAGE"
  | "SIPHON_RBD_NO_SNAPSHOT"
  | "SIPHON_RBD_NO_GROUP"
  | "SIPHON_RBD_NO_POOL"
  | "SIPHON_RBD_EXISTS"
  | "SIPHON_RBD_BUSY"
  | "SIPHON_RBD_LOCKED"
  | "SIPHON_RBD_FENCED"
  | "SIPHON_RBD_READ_ONLY"
  | "SIPHON_RBD_LIMIT"
  | "SIPHON_RBD_INVALID"
  | "SIPHON_RBD_CLOSED"
  | "SIPHON_RBD_REFUSED"
  | "SIPHON_RBD_WORKER";

/** Names of the `remedy` of an error with an image. */
export interface RbdRemedy {
  readonly name:
    | "list-images"
    | "list-all-images"
    | "list-trash"
    | "list-namespaces"
    | "create-namespace"
    | "list-groups"
    | "list-group-snapshots"
    | "remove-group-snapshot"
    | "leave-group"
    | "show-image"
    | "list-watchers"
    | "list-locks"
    | "list-snapshots"
    | "list-children"
    | "protect-snapshot"
    | "unprotect-snapshot"
    | "purge-snapshots"
    | "change-snapshot-limit"
    | "list-settings"
    | "give-keys"
    | "format-encryption"
    | "allow-shrink"
    | "force";
  readonly subject?: string;
  readonly imageId?: string;
}

export interface RbdErrorOptions extends SiphonErrorOptions {
  remedy?: RbdRemedy;
  /** The exit status of `rbd` for this error; negative. */
  errno?: number;
}

export class RbdError extends SiphonError<RbdErrorCode> {
  /** A negative Linux errno: the result of failed requests, and of answers to other clients. */
  readonly errno: number;

  constructor(code: RbdErrorCode, message: string, options: RbdErrorOptions = {}) {
    super(code, message, options);
    this.errno = options.errno ?? errnos[code];
  }
}

const errnos: Record<RbdErrorCode, number> = {
  SIPHON_RBD_UNSUPPORTED: -errno.ENOSYS,
  SIPHON_RBD_NO_IMAGE: -errno.ENOENT,
  SIPHON_RBD_NO_SNAPSHOT: -errno.ENOENT,
  SIPHON_RBD_NO_GROUP: -errno.ENOENT,
  SIPHON_RBD_NO_POOL: -errno.ENOENT,
  SIPHON_RBD_EXISTS: -errno.EEXIST,
  SIPHON_RBD_BUSY: -errno.EBUSY,
  SIPHON_RBD_LOCKED: -errno.EROFS,
  SIPHON_RBD_FENCED: -errno.ESHUTDOWN,
  SIPHON_RBD_READ_ONLY: -errno.EROFS,
  SIPHON_RBD_LIMIT: -errno.EDQUOT,
  SIPHON_RBD_INVALID: -errno.EINVAL,
  SIPHON_RBD_CLOSED: -errno.ESHUTDOWN,
  SIPHON_RBD_REFUSED: -errno.EIO,
  SIPHON_RBD_WORKER: -errno.EIO,
};

/** The errno of failed requests, also sent to other clients: the error's own, else that of its code, else EIO. */
export function errnoOf(error: unknown): number {
  if (!(error instanceof SiphonError)) return -errno.EIO;
  if ("errno" in error && typeof error.errno === "number") return error.errno;
  return otherErrnos[error.code] ?? -(errnoNumber(error.code) ?? errno.EIO);
}

const otherErrnos: Record<string, number> = {
  EBLOCKLISTED: -errno.ESHUTDOWN,
  SIPHON_RADOS_CLOSED: -errno.ESHUTDOWN,
  SIPHON_RADOS_TIMEOUT: -errno.ETIMEDOUT,
};

/**
 * The error of a request with a negative result: the known error, or else one made from the number. For an OSD's errno
 * it is a RadosError of that name.
 *
 * @param the failed action: "cannot write image vm1"
 */
export function requestFailure(what: string, result: number, error: Error | undefined): Error {
  if (error !== undefined) return error;
  if (result === errnos.SIPHON_RBD_READ_ONLY) {
    return new RbdError("SIPHON_RBD_READ_ONLY", `${what}: it was opened read-only`);
  }
  if (result === errnos.SIPHON_RBD_FENCED) {
    return new RbdError("SIPHON_RBD_FENCED", `${what}: its lock was lost`);
  }
  if (result === errnos.SIPHON_RBD_INVALID) return new RbdError("SIPHON_RBD_INVALID", `${what} (EINVAL)`);
  return remoteError(result, what);
}

/** Whether an error says that this client is on the blocklist. */
export function isFenced(error: unknown): boolean {
  return (
    error instanceof SiphonError &&
    (error.code === "ESHUTDOWN" || error.code === "EBLOCKLISTED" || error.code === "SIPHON_RBD_FENCED")
  );
}

/** The error of all requests once this client is on the blocklist. */
export function fencedError(imageName: string, cause: unknown): RbdError {
  const message = `this client is on the cluster's blocklist; OSDs reject its writes to image ${imageName}`;
  return new RbdError("SIPHON_RBD_FENCED", message, {
    ...{
      cause,
      hint: "another client took over the image while this one did not answer; connect and open the image again",
    },
  });
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof SiphonError && codes.includes(error.code);
}

/** For `catch` of a Promise: returns undefined for errors with these codes, and rethrows all others. */
export function unless(...codes: string[]): (error: unknown) => undefined {
  return (error) => {
    if (!hasCode(error, ...codes)) throw error;
    return undefined;
  };
}
