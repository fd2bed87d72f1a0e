import { errno, SiphonError } from "@siphon/wire";

/**
 * Why an image's encryption could not be set up or opened:
 * - `SIPHON_ENCRYPTION_ABSENT`: there is no LUKS header where one should be;
 * - `SIPHON_ENCRYPTION_MALFORMED`: the header is damaged, or says what no program writes;
 * - `SIPHON_ENCRYPTION_UNSUPPORTED`: a sound header that asks for what is not done here;
 * - `SIPHON_ENCRYPTION_PASSPHRASE`: no keyslot opens with the passphrase;
 * - `SIPHON_ENCRYPTION_SPACE`: the image is too small to hold the header;
 * - `SIPHON_ENCRYPTION_LAYERS`: a clone and its parents have other keys than those that were given.
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
