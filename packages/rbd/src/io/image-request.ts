import { throwUnowned } from "@siphon/rados/engine";

/**
 * Something asked of an image: the callback way in, without a Promise, closure or Buffer for an operation. Subclasses say
 * where written bytes come from and where read bytes go (guest memory, a socket's buffer), and are used again for
 * request after request. A request belongs to the image from the call it is given to until `completed`.
 */
export abstract class ImageRequest {
  /** In bytes of the image; any alignment. */
  offset = 0;
  /** In bytes; made shorter by the image where the request reaches beyond its end. */
  length = 0;
  /** 0, or a negative errno. */
  result = 0;
  /** The reason for a failure, where more is known than the errno. */
  error: Error | undefined;
  /**
   * The client of the request, where several share an image: a flush tells each client of failed writes that a cache had
   * acknowledged. All requests without one count as one client.
   */
  client: object | undefined;

  /**
   * Writes `length` bytes of the data to be written, from `position` of this request on, to `into` at `at`. The data must stay
   * as it is until `completed`: it may be asked for more than once.
   */
  abstract fill(into: Buffer, at: number, position: number, length: number): void;

  /** The same data where it is, if it lies together; then `fill` may not be called. */
  dataInPlace(_position: number, _length: number): Uint8Array | undefined {
    return undefined;
  }

  /**
   * Takes `bytes` from `start` up to `end`, valid during the call, which belong at `position` of this request. Portions come in
   * any order, perhaps more than once, and are right only once `completed` says so.
   */
  abstract take(bytes: Buffer, start: number, end: number, position: number): void;

  /** Takes zeros: `length` bytes from `position` of this request on. */
  abstract takeZeros(position: number, length: number): void;

  /** All is done and `result` set; never called from within the call that started it. */
  abstract completed(): void;
}

/** A write of the same bytes again and again: `fill` is asked for bytes of the pattern. */
export abstract class WriteSameRequest extends ImageRequest {
  /** In bytes; `length` is a multiple of it. */
  patternLength = 0;
}

/** A write that happens only where the image has the expected bytes; -EILSEQ where it has others. */
export abstract class CompareAndWriteRequest extends ImageRequest {
  /** The first byte of the image that was not as expected, when `result` is -EILSEQ. */
  mismatchOffset = 0;

  /** As `fill`, of the bytes that are expected. */
  abstract fillExpected(into: Buffer, at: number, position: number, length: number): void;
}

/** Calls `completed`; an error that it throws has no owner here, and must not keep other callbacks from being called. */
export function tellCompleted(request: ImageRequest): void {
  try {
    request.completed();
  } catch (error) {
    throwUnowned(error);
  }
}
