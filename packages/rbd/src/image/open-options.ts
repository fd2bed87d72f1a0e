import type { IoLimits } from "../io/admission.ts";

export interface OpenOptions {
  /** Name or, with `byId`, id of a snapshot to read; the image is read-only then. */
  readonly snapshot?: string | number;
  readonly readOnly?: boolean;
  /** Gets the lock at once and keeps it until the image is closed, whoever asks for it. */
  readonly exclusive?: boolean;
  readonly limits?: IoLimits;
  readonly discardGranularity?: number;
}
