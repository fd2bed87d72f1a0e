import { errno, SiphonError, type SiphonErrorOptions } from "@siphon/wire";

/**
 * Why a transfer of an image failed:
 * - `SIPHON_TRANSFER_BANNER`: the bytes do not begin with the format's banner;
 * - `SIPHON_TRANSFER_TRUNCATED`: the bytes end too early;
 * - `SIPHON_TRANSFER_MALFORMED`: the bytes violate the format;
 * - `SIPHON_TRANSFER_MISMATCH`: valid, but does not match its target;
 * - `SIPHON_TRANSFER_CORRUPT`: a file's checksum shows that it has changed;
 * - `SIPHON_TRANSFER_BUSY`: another process uses the same backup;
 * - `SIPHON_TRANSFER_LOCK`: a backup's directory cannot be locked.
 */
export type TransferErrorCode =
  | "SIPHON_TRANSFER_BANNER"
  | "SIPHON_TRANSFER_TRUNCATED"
  | "SIPHON_TRANSFER_MALFORMED"
  | "SIPHON_TRANSFER_MISMATCH"
  | "SIPHON_TRANSFER_CORRUPT"
  | "SIPHON_TRANSFER_BUSY"
  | "SIPHON_TRANSFER_LOCK";

export class TransferError extends SiphonError<TransferErrorCode> {
  /** The negative errno of `rbd` for this error; 0 if it has none. */
  readonly errno: number;

  constructor(
    code: TransferErrorCode,
    message: string,
    { errno: own, ...options }: SiphonErrorOptions & { errno?: number } = {},
  ) {
    super(code, message, options);
    this.errno = own ?? -(errnos[code] ?? 0);
  }
}

/** rbd reports a truncated stream as EDOM. */
const errnos: { readonly [code in TransferErrorCode]?: number } = {
  SIPHON_TRANSFER_BANNER: errno.EINVAL,
  SIPHON_TRANSFER_TRUNCATED: errno.EDOM,
  SIPHON_TRANSFER_MALFORMED: errno.EINVAL,
  SIPHON_TRANSFER_MISMATCH: errno.EINVAL,
};
