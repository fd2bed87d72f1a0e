import { errno, SiphonError } from "@siphon/wire";

/**
 * Why an image's encryption could not be set up or opened:
 * - `SIPHON_ENCRYPTION_ABSENT`: the image has no LUKS header;
 * - `SIPHON_ENCRYPTION_MALFORMED`: the header is damaged or invalid;
 * - `SIPHON_ENCRYPTION_UNSUPPORTED`: the header is valid, but uses something that siphon does not support;
 * - `SIPHON_ENCRYPTION_PASSPHRASE`: the passphrase opens no keyslot;
 * - `SIPHON_ENCRYPTION_SPACE`: the image is too small to hold the header;
 * - `SIPHON_ENCRYPTION_LAYERS`: the given keys do not match those of a clone and its parents.
 */
export type EncryptionErrorCode =
  | "SIPHON_ENCRYPTION_ABSENT"
  | "SIPHON_ENCRYPTION_MALFORMED"
  | "SIPHON_ENCRYPTION_UNSUPPORTED"
  | "SIPHON_ENCRYPTION_PASSPHRASE"
  | "SIPHON_ENCRYPTION_SPACE"
  | "SIPHON_ENCRYPTION_LAYERS";

export class EncryptionError extends SiphonError<EncryptionErrorCode> {
  /** The exit status of `rbd` for this error; negative. */
  get errno(): number {
    return errnos[this.code];
  }
}

const errnos: Record<EncryptionErrorCode, number> = {
  SIPHON_ENCRYPTION_ABSENT: -errno.EINVAL,
  SIPHON_ENCRYPTION_MALFORMED: -errno.EINVAL,
  SIPHON_ENCRYPTION_UNSUPPORTED: -errno.EOPNOTSUPP,
  SIPHON_ENCRYPTION_PASSPHRASE: -errno.EPERM,
  SIPHON_ENCRYPTION_SPACE: -errno.ENOSPC,
  SIPHON_ENCRYPTION_LAYERS: -errno.EINVAL,
};
