import { SiphonError } from "@siphon/wire";

/**
 * Why an image could not be served:
 * - `SIPHON_USAGE`: what was asked for does not go together;
 * - `SIPHON_ATTACH_SOCKET_BUSY`: something lives at the socket already;
 * - `SIPHON_ATTACH_SOCKET`: the socket cannot be made there;
 * - `SIPHON_ATTACH_TLS`: certificates are missing or unusable;
 * - `SIPHON_ATTACH_UNSUPPORTED`: a client asked for what this server does not offer;
 * - `SIPHON_ATTACH_NATIVE`: a call of the system failed, or koffi, which makes it, does not load;
 * - `SIPHON_ATTACH_PROTOCOL`: a client sent what its protocol does not allow;
 * - `SIPHON_ATTACH_DRAIN`: what was served did not end in order, or not in time;
 * - `SIPHON_ATTACH_SHARD`: a shard ended before it served its images.
 */
export type AttachErrorCode =
  | "SIPHON_USAGE"
  | "SIPHON_ATTACH_SOCKET_BUSY"
  | "SIPHON_ATTACH_SOCKET"
  | "SIPHON_ATTACH_TLS"
  | "SIPHON_ATTACH_UNSUPPORTED"
  | "SIPHON_ATTACH_NATIVE"
  | "SIPHON_ATTACH_PROTOCOL"
  | "SIPHON_ATTACH_DRAIN"
  | "SIPHON_ATTACH_SHARD";

export class AttachError extends SiphonError<AttachErrorCode> {}
