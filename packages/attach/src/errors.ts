import { type Remedy, SiphonError } from "@siphon/wire";

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
 * - `SIPHON_ATTACH_SHARD`: a shard ended before it served its images;
 * - `SIPHON_ATTACH_DISK`: the service has no such disk, has it already, or cannot do that to it now;
 * - `SIPHON_ATTACH_DEVICE`: the kernel's NBD driver is missing, or does not do it;
 * - `SIPHON_ATTACH_CONTROL`: the service does not answer, or cannot be understood.
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
  | "SIPHON_ATTACH_SHARD"
  | "SIPHON_ATTACH_DISK"
  | "SIPHON_ATTACH_DEVICE"
  | "SIPHON_ATTACH_CONTROL";

/** Names of what the `remedy` of an error advises; the subject is the disk that it is about. */
export interface AttachRemedy extends Remedy {
  readonly name:
    | "list-disks"
    | "show-disk"
    | "force-removal"
    | "start-service"
    | "be-service-user"
    | "look-at-disks";
}

export class AttachError extends SiphonError<AttachErrorCode> {}
