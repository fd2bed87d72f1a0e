/** What every error of this project offers beside its message. */
export interface SiphonErrorOptions {
  /** The error that led to this one. */
  cause?: unknown;
  /** Whether doing the same thing again, unchanged, may succeed. */
  retryable?: boolean;
  /** What the reader can do about it; shown after the message. */
  hint?: string;
}

/**
 * The base of every error that siphon throws on purpose. Each layer has one subclass with a closed
 * union of codes; a message says what happened and to what, the hint what to do next.
 */
export class SiphonError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, options: SiphonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint;
  }
}
