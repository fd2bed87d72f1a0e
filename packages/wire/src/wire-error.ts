import { SiphonError } from "./errors.ts";

/**
 * Why bytes could not be read or written:
 * - `SIPHON_WIRE_TRUNCATED`: a field or a length runs past the end of what was received;
 * - `SIPHON_WIRE_MALFORMED`: a value that no valid encoder writes;
 * - `SIPHON_WIRE_INCOMPATIBLE`: the encoding needs a newer reader;
 * - `SIPHON_WIRE_CHECKSUM`: the bytes differ from the ones sent;
 * - `SIPHON_WIRE_RANGE`: a value to be written does not fit its field.
 */
export type WireErrorCode =
  | "SIPHON_WIRE_TRUNCATED"
  | "SIPHON_WIRE_MALFORMED"
  | "SIPHON_WIRE_INCOMPATIBLE"
  | "SIPHON_WIRE_CHECKSUM"
  | "SIPHON_WIRE_RANGE";

export class WireError extends SiphonError<WireErrorCode> {}
