import { requestFailure } from "../errors.ts";
import type { ImageRequest } from "./image-request.ts";
import { BufferRequest } from "./promise-request.ts";

/** The operations that encryption and transfers use. An encrypted image implements them, too. */
export interface ImageOperations {
  /** In bytes. */
  readonly size: number;
  readonly readOnly: boolean;
  read(request: ImageRequest): void;
  write(request: ImageRequest): void;
  flush(request: ImageRequest): void;
  discard(request: ImageRequest): void;
  writeZeroes(request: ImageRequest): void;
}

/**
 * Bytes of an image; fewer at its end.
 *
 * @param into buffer of at least `length` bytes for the result
 */
export async function readBytes(
  image: ImageOperations,
  offset: number,
  length: number,
  into?: Buffer,
): Promise<Buffer> {
  const shown = Math.max(0, Math.min(length, image.size - offset));
  const bytes = into?.subarray(0, shown) ?? Buffer.allocUnsafeSlow(shown);
  if (bytes.length > 0) await perform(offset, bytes.length, bytes, (request) => image.read(request));
  return bytes;
}

export function writeBytes(image: ImageOperations, offset: number, bytes: Buffer): Promise<void> {
  return perform(offset, bytes.length, bytes, (request) => image.write(request));
}

export function zeroBytes(image: ImageOperations, offset: number, length: number): Promise<void> {
  return perform(offset, length, none, (request) => image.writeZeroes(request));
}

export function flushImage(image: ImageOperations): Promise<void> {
  return perform(0, 0, none, (request) => image.flush(request));
}

const none = Buffer.alloc(0);

function perform(
  offset: number,
  length: number,
  bytes: Buffer,
  start: (request: ImageRequest) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (result: number, error?: Error) =>
      reject(
        requestFailure(`cannot carry out a request for bytes ${offset} to ${offset + length}`, result, error),
      );
    start(new BufferRequest(offset, length, bytes, { resolve, reject: failed }));
  });
}
