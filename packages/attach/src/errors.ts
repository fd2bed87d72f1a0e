import { SiphonError } from "@siphon/wire";

/**
 * Why an image could not be served:
 * - `SIPHON_ATTACH_NATIVE`: a call of the system failed, or koffi, which makes it, does not load;
 * - `SIPHON_ATTACH_ADDRESS`: the socket or address to serve at cannot be used;
 * - `SIPHON_ATTACH_PROTOCOL`: the peer sent what the protocol does not allow;
 * - `SIPHON_ATTACH_UNSUPPORTED`: the peer asked for what this server does not offer;
 * - `SIPHON_ATTACH_CLOSED`: the server was closed.
 */
export type AttachErrorCode =
  | "SIPHON_ATTACH_NATIVE"
  | "SIPHON_ATTACH_ADDRESS"
  | "SIPHON_ATTACH_PROTOCOL"
  | "SIPHON_ATTACH_UNSUPPORTED"
  | "SIPHON_ATTACH_CLOSED";

export class AttachError extends SiphonError<AttachErrorCode> {}
