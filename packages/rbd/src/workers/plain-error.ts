import { RadosError, type RadosErrorCode } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import { EncryptionError, type EncryptionErrorCode } from "../encryption/encryption-error.ts";
import { RbdError, type RbdErrorCode, type RbdErrorOptions, type RbdRemedy } from "../errors.ts";

/** An error in a form that can be sent between threads: a structured clone would lose its code. */
export interface PlainError {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly errno: number | undefined;
  readonly retryable: boolean;
  readonly hint: string | undefined;
  readonly remedy: SiphonError["remedy"];
}

export function plainError(error: unknown): PlainError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const own = error instanceof SiphonError ? error : undefined;
  return {
    ...{ message, stack, code: own?.code, retryable: own?.retryable ?? false },
    ...{ hint: own?.hint, remedy: own?.remedy },
    errno: error instanceof RbdError ? error.errno : undefined,
  };
}

export function errorOf({ message, stack, code, errno, retryable, hint, remedy }: PlainError): Error {
  const options = {
    retryable,
    ...(hint !== undefined && { hint }),
    ...(remedy && { remedy: remedy as RbdRemedy }),
  };
  const error = code === undefined ? new Error(message) : withCode(code, message, options, errno);
  if (stack !== undefined) error.stack = stack;
  return error;
}

function withCode(code: string, message: string, options: RbdErrorOptions, errno: number | undefined): Error {
  if (code.startsWith("SIPHON_RBD_")) {
    return new RbdError(code as RbdErrorCode, message, { ...options, ...(errno !== undefined && { errno }) });
  }
  if (code.startsWith("SIPHON_ENCRYPTION_")) {
    return new EncryptionError(code as EncryptionErrorCode, message, options);
  }
  return new RadosError(code as RadosErrorCode, message, options);
}
