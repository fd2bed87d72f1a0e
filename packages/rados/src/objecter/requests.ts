import type { ObjectRequest } from "./request.ts";

/** Requests by transaction id, in the order in which they were submitted. */
export type Requests = Map<number, ObjectRequest>;

/** Puts a request among others. */
export function hold(holder: Requests, request: ObjectRequest): void {
  holder.set(request.dispatch.tid, request);
  request.dispatch.holder = holder;
}
