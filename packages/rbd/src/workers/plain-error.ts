import { RadosError, type RadosErrorCode } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import { RbdError, type RbdErrorCode, type RbdRemedy } from "../errors.ts";

/** An error as it goes from thread to thread: what is cloned of one has no code. */
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
  const error =
    code === undefined
      ? new Error(message)
      : code.startsWith("SIPHON_RBD_")
        ? new RbdError(code as RbdErrorCode, message, { ...options, ...(errno !== undefined && { errno }) })
        : new RadosError(code as RadosErrorCode, message, options);
  if (stack !== undefined) error.stack = stack;
  return error;
}
