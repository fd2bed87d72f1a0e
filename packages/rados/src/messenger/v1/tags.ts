import { RadosError } from "../../errors.ts";

/** The first byte of a message or an answer, src/include/msgr.h. */
export const tag = {
  ready: 1,
  resetSession: 2,
  wait: 3,
  retrySession: 4,
  retryGlobal: 5,
  close: 6,
  message: 7,
  ack: 8,
  keepalive: 9,
  badProtocol: 10,
  badAuthorizer: 11,
  features: 12,
  seq: 13,
  keepalive2: 14,
  keepalive2Ack: 15,
  challengeAuthorizer: 16,
} as const;

export function notV1(reason: string): RadosError {
  return new RadosError("SIPHON_RADOS_PROTOCOL", `not Ceph's protocol v1: ${reason}`);
}
