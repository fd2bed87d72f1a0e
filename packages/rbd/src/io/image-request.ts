import { throwUnowned } from "@siphon/rados/engine";

/**
 * A request to an image, with a callback instead of a Promise; it allocates no closure and no Buffer. Subclasses define
 * the source of written bytes and the destination of read bytes (guest memory, a socket's buffer), and are reused. The
 * image owns a request from its submission until `completed`.
 */
export abstract class ImageRequest {
  /** In bytes of the image; any alignment. */
  offset = 0;
  /** In bytes; the image truncates a request that exceeds its end. */
  length = 0;
  /** 0, or a negative errno. */
  result = 0;
  /** The reason for a failure, if more is known than the errno. */
  error: Error | undefined;
  /**
   * The client of the request, if several share an image: a flush reports failures of acknowledged writes to each
   * client. Requests without a client count as one client.
   */
  client: object | undefined;

  /**
   * Copies `length` bytes of the request's data, from `position`, to `into` at `at`. The data must not change until
   * `completed`, because it may be copied more than once.
   */
  abstract fill(into: Buffer, at: number, position: number, length: number): void;

  /** The same data in place, if it is contiguous; then `fill` may not be called. */
  dataInPlace(_position: number, _length: number): Uint8Array | undefined {
    return undefined;
  }

  /**
   * Receives `bytes` from `start` up to `end` for `position` of this request; they are valid during the call. Portions
   * come in any order, may repeat, and are final only at `completed`.
   */
  abstract take(bytes: Buffer, start: number, end: number, position: number): void;

  /** Receives `length` zero bytes from `position`. */
  abstract takeZeros(position: number, length: number): void;

  /** Called when the request is done and `result` is set; never from within the call that started it. */
  abstract completed(): void;
}

/** A write of a repeated pattern: `fill` is called for bytes of the pattern. */
export abstract class WriteSameRequest extends ImageRequest {
  /** In bytes; `length` is a multiple of it. */
  patternLength = 0;
}

/** A write that happens only if the image has the expected bytes; otherwise -EILSEQ. */
export abstract class CompareAndWriteRequest extends ImageRequest {
  /** Offset in the image of the first byte that differs, if `result` is -EILSEQ. */
  mismatchOffset = 0;

  /** As `fill`, for the expected bytes. */
  abstract fillExpected(into: Buffer, at: number, position: number, length: number): void;
}

/** Calls `completed`. An error that it throws cannot be handled here, and must not prevent other callbacks. */
export function tellCompleted(request: ImageRequest): void {
  try {
    request.completed();
  } catch (error) {
    throwUnowned(error);
  }
}
