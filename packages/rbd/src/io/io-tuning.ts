/** Tuning of requests to an image's objects; it does not affect data. */
export interface IoTuning {
  /** `requestFlag`s of reads: which OSDs with the data serve them. */
  readonly readFlags: number;
  /** Flags of the allocation hint that goes with writes to objects that may be new; undefined for no hint. */
  readonly hintFlags: number | undefined;
  /** Discards skip parts that do not fill units of this many bytes; 0 for exact discards. */
  readonly discardGranularity: number;
}

export const defaultTuning: IoTuning = { readFlags: 0, hintFlags: 0, discardGranularity: 65_536 };
