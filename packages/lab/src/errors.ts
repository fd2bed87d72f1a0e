import { SiphonError } from "@siphon/wire";

/** Failures of the lab; the command line turns each into one sentence and an exit code. */
export type LabErrorCode =
  | "SIPHON_USAGE" // invalid arguments or options
  | "SIPHON_MISSING_PROGRAM" // a program or library that this step needs is not installed
  | "SIPHON_PROGRAM_FAILED" // a program ran and failed
  | "SIPHON_TIMEOUT" // an event did not happen in time
  | "SIPHON_HOST" // another host cannot be reached, or a step failed on it
  | "SIPHON_CLUSTER" // a cluster does not come up, or answers with an error
  | "SIPHON_DAEMON_DIED" // a daemon started by siphon ended while it was needed
  | "SIPHON_VM" // QEMU ended, or refused its arguments
  | "SIPHON_GUEST" // the guest panicked, hangs, or a command in it failed
  | "SIPHON_NO_SPACE" // a file system or a pool is full
  | "SIPHON_PERMISSION" // root, a capability or a Ceph cap is missing
  | "SIPHON_IN_USE" // a name, port or image is taken
  | "SIPHON_NOT_FOUND" // a named cluster, VM, image or file does not exist
  | "SIPHON_BAD_FILE" // a file is damaged, or from a newer siphon
  | "SIPHON_LEFT_BEHIND" // something that siphon created could not be removed
  | "SIPHON_REFUSED"; // it would overwrite something that siphon did not create

/** An error of the lab. Its message says what happened to what, its hint what to do next. */
export class LabError extends SiphonError<LabErrorCode> {}
