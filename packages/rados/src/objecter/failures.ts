import { RadosError } from "../errors.ts";
import type { ObjectRequest } from "./request.ts";

export const errno = { noEntry: 2, io: 5, shutdown: 108, timedOut: 110, canceled: 125 } as const;

export function blocklisted(): RadosError {
  return new RadosError("ESHUTDOWN", "the cluster has put this client on its blocklist", {
    hint: "another client has taken over its work; a new handle is a new client",
  });
}

/** Its deadline has passed. */
export function unanswered({ target, dispatch }: ObjectRequest): RadosError {
  const { submittedAt, deadline, osd } = dispatch;
  const where = osd < 0 ? "" : ` from osd.${osd}`;
  const text = `no reply for ${target.name}${where} within ${Math.round(deadline - submittedAt) / 1000} s`;
  return new RadosError("SIPHON_RADOS_TIMEOUT", text, { retryable: true });
}
