import { type Remedy, SiphonError } from "@siphon/wire";

/**
 * Why an image could not be served:
 * - `SIPHON_USAGE`: the options contradict each other;
 * - `SIPHON_ATTACH_SOCKET_BUSY`: another program listens on the socket;
 * - `SIPHON_ATTACH_SOCKET`: the socket cannot be created there;
 * - `SIPHON_ATTACH_TLS`: certificates are missing or unusable;
 * - `SIPHON_ATTACH_UNSUPPORTED`: a client requested something that this server does not offer;
 * - `SIPHON_ATTACH_NATIVE`: a system call failed, or koffi, which makes it, cannot be loaded;
 * - `SIPHON_ATTACH_PROTOCOL`: a client violated its protocol;
 * - `SIPHON_ATTACH_DRAIN`: a disk was not closed in order, or not in time;
 * - `SIPHON_ATTACH_SHARD`: a shard ended before it served its images;
 * - `SIPHON_ATTACH_DISK`: the service has no such disk, already has it, or cannot change it now;
 * - `SIPHON_ATTACH_DEVICE`: the kernel's NBD driver is missing or failed;
 * - `SIPHON_ATTACH_CONTROL`: the service does not answer, or a request or answer is invalid.
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

/** Names of the `remedy` of an error; its subject is the disk. */
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
