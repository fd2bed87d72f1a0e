import { errno } from "@siphon/wire";
import type { Layout } from "../striping/layout.ts";
import type { WriteSameRequest } from "./image-request.ts";
import type { Operation } from "./operation.ts";

/**
 * Truncates a request at the end of the image, and fails one beyond it.
 *
 * @param size of the image, in bytes @returns false if there is nothing to do
 */
export function clipRequest(operation: Operation, size: number): boolean {
  const { request } = operation;
  if (request.length === 0) return false;
  if (request.offset < 0 || request.offset >= size || request.length < 0) {
    operation.fail(-errno.EINVAL);
    return false;
  }
  if (request.offset + request.length > size) request.length = size - request.offset;
  return true;
}

/** Whether a write has a length that its kind allows; fails it if not. */
export function checkWrite(operation: Operation, { stripeUnit }: Layout): boolean {
  const { kind, request } = operation;
  if (kind === "compareAndWrite") {
    const unit = Math.min(512, stripeUnit);
    if ((request.offset % unit) + request.length <= unit) return true;
  } else if (kind === "writeSame") {
    const { patternLength } = request as WriteSameRequest;
    if (patternLength > 0 && request.length % patternLength === 0) return true;
  } else return true;
  operation.fail(-errno.EINVAL);
  return false;
}
