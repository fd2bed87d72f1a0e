import { errno, SiphonError, type SiphonErrorOptions } from "@siphon/wire";

/**
 * Why images could not be carried from one place to another:
 * - `SIPHON_TRANSFER_BANNER`: the bytes do not begin as the format does;
 * - `SIPHON_TRANSFER_TRUNCATED`: the bytes end before the format does;
 * - `SIPHON_TRANSFER_MALFORMED`: what no writer of the format writes;
 * - `SIPHON_TRANSFER_MISMATCH`: valid, but it does not fit its target;
 * - `SIPHON_TRANSFER_CORRUPT`: checksums say that a file is not what was once written;
 * - `SIPHON_TRANSFER_BUSY`: another process works on the same backup;
 * - `SIPHON_TRANSFER_LOCK`: a backup cannot be locked where it is.
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
  /** The negative errno with which `rbd` would exit; 0 where it has nothing like it. */
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

/** rbd takes a stream that ends too early for an argument that is out of its domain. */
const errnos: { readonly [code in TransferErrorCode]?: number } = {
  SIPHON_TRANSFER_BANNER: errno.EINVAL,
  SIPHON_TRANSFER_TRUNCATED: errno.EDOM,
  SIPHON_TRANSFER_MALFORMED: errno.EINVAL,
  SIPHON_TRANSFER_MISMATCH: errno.EINVAL,
};
