import { SiphonError } from "@siphon/wire";

/** Failures of the lab; the command line turns each into one sentence and an exit code. */
export type LabErrorCode =
  | "SIPHON_USAGE" // the caller asked for something that makes no sense
  | "SIPHON_MISSING_PROGRAM" // a program or library that this step needs is not installed
  | "SIPHON_PROGRAM_FAILED" // a program ran and failed
  | "SIPHON_TIMEOUT" // something did not happen in time
  | "SIPHON_HOST" // another host cannot be reached, or does not do what it was told
  | "SIPHON_CLUSTER" // a cluster does not come up, or answers with an error
  | "SIPHON_DAEMON_DIED" // a daemon that we started ended while it was needed
  | "SIPHON_VM" // QEMU ended, or refused its arguments
  | "SIPHON_GUEST" // the guest panicked, hangs, or a command in it failed
  | "SIPHON_NO_SPACE" // a file system or a pool is full
  | "SIPHON_PERMISSION" // root, a capability or a Ceph cap is missing
  | "SIPHON_IN_USE" // a name, port or image is taken
  | "SIPHON_NOT_FOUND" // a named cluster, VM, image or file does not exist
  | "SIPHON_BAD_FILE" // a file that siphon should read is broken, or of a newer siphon
  | "SIPHON_LEFT_BEHIND" // what siphon made could not be removed
  | "SIPHON_REFUSED"; // it would overwrite what siphon did not create

/** An error of the lab: its message says what happened to what, its hint what to do next. */
export class LabError extends SiphonError<LabErrorCode> {}
