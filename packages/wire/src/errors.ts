/** Options of every error of this project. */
export interface SiphonErrorOptions {
  /** The error that led to this one. */
  cause?: unknown;
  /** Whether an unchanged retry may succeed. */
  retryable?: boolean;
  /** The next step for the reader; shown after the message. */
  hint?: string;
  /** The next step, worded by the program that uses the library. */
  remedy?: Remedy;
}

/** A suggested step: each layer has a closed list of names, which the program turns into text. */
export interface Remedy {
  readonly name: string;
  /** The image, pool, snapshot, ... that the step is about, written like `pool/namespace/image@snapshot`. */
  readonly subject?: string;
  /** The id of an image in the trash, whose name may be taken; the subject is then its pool. */
  readonly imageId?: string;
}

/**
 * The base class of all expected errors. Each layer has one subclass with a closed union of codes. The message says
 * what happened and to what; the hint and the remedy say what to do next.
 */
export class SiphonError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly retryable: boolean;
  readonly hint: string | undefined;
  readonly remedy: Remedy | undefined;

  constructor(code: Code, message: string, options: SiphonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint;
    this.remedy = options.remedy;
  }
}

/** The advice of an error, for an error derived from it. */
export function adviceOf({ hint, remedy }: SiphonError): Pick<SiphonErrorOptions, "hint" | "remedy"> {
  return { ...(hint !== undefined && { hint }), ...(remedy !== undefined && { remedy }) };
}
