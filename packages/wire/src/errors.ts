/** Options of every error of this project. */
export interface SiphonErrorOptions {
  /** The error that led to this one. */
  cause?: unknown;
  /** Whether doing the same thing again, unchanged, may succeed. */
  retryable?: boolean;
  /** The next step for the reader; shown after the message. */
  hint?: string;
  /** The next step for the reader, where the words depend on the program that uses the library. */
  remedy?: Remedy;
}

/** A step that would help: each layer has a closed list of names, and the program puts them into its own words. */
export interface Remedy {
  readonly name: string;
  /** The image, pool, snapshot, ... that the step is about, written like `pool/namespace/image@snapshot`. */
  readonly subject?: string;
  /** The id of an image in the trash, whose name another image may have; the subject is its pool then. */
  readonly imageId?: string;
}

/**
 * The base of every error that siphon throws on purpose. Each layer has one subclass with a closed
 * union of codes. The message says what happened and to what; the hint and the remedy say what to do next.
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

/** The advice of an error, for one that is made from it. */
export function adviceOf({ hint, remedy }: SiphonError): Pick<SiphonErrorOptions, "hint" | "remedy"> {
  return { ...(hint !== undefined && { hint }), ...(remedy !== undefined && { remedy }) };
}
