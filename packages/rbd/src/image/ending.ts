import { SiphonError } from "@siphon/wire";
import { fencedError, hasCode, isFenced, RbdError } from "../errors.ts";
import type { ImageHeader } from "../header/image-header.ts";
import { notice } from "./notices.ts";
import { goneError } from "./shown.ts";

interface EndingImage {
  readonly header: ImageHeader;
  readonly io: { failWrites(error: Error): void };
  readonly requests: { close(): void };
}

/** How an open image ends: it is closed, its client is put on the blocklist, or it is gone from the cluster. */
export class Ending {
  readonly #image: EndingImage;
  readonly #closing = new AbortController();
  #failure: RbdError | undefined;
  #closed = false;

  constructor(image: EndingImage) {
    this.#image = image;
  }

  /** Aborted once the image has ended. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Why the image ended without being closed. */
  get failure(): RbdError | undefined {
    return this.#failure;
  }

  /** @throws RbdError once the image was closed, or the client was put on the blocklist */
  assertOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw this.closedError();
  }

  /** @returns false if the image was closed before */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#end();
    return true;
  }

  /** For good: no write is acknowledged any more. */
  fail(error: RbdError): void {
    if (this.#failure === undefined && isFenced(error)) {
      notice({ event: "fenced", image: this.#image.header.name, error });
    }
    this.#failure ??= error;
    this.#image.io.failWrites(this.#failure);
    this.#end();
  }

  /** Ends the image if an error is final; then writes never resume. */
  isFinal(error: unknown): boolean {
    const { header, io } = this.#image;
    if (!(error instanceof SiphonError)) this.fail(faultError(header, error));
    else if (isFenced(error)) this.fail(fencedError(header.name, error));
    else if (hasCode(error, "ENOENT", "SIPHON_RBD_NO_IMAGE")) this.fail(goneError(header, error));
    else if (hasCode(error, "SIPHON_RADOS_CLOSED")) this.fail(this.closedError(error));
    if (!this.signal.aborted) return false;
    io.failWrites(this.#failure ?? this.closedError());
    return true;
  }

  /** The header can no longer be watched. */
  unwatched(error: SiphonError): void {
    const { header } = this.#image;
    if (isFenced(error)) this.fail(fencedError(header.name, error));
    else if (hasCode(error, "ENOENT", "ENOTCONN")) this.fail(goneError(header, error));
    else this.fail(this.closedError(error));
  }

  closedError(cause?: unknown): RbdError {
    return new RbdError("SIPHON_RBD_CLOSED", `image ${this.#image.header.name} was closed`, {
      ...(cause !== undefined && { cause }),
    });
  }

  #end(): void {
    this.#image.requests.close();
    this.#closing.abort();
  }
}

/** The header is unknown, and writes that follow the old header might destroy data. */
function faultError({ name }: ImageHeader, cause: unknown): RbdError {
  const message = `image ${name} was closed because siphon failed to follow its header; this is a fault of siphon`;
  return new RbdError("SIPHON_RBD_CLOSED", message, { cause });
}
