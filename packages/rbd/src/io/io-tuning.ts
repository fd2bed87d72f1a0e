/** How requests to an image's objects are made; none of it changes what is read and written. */
export interface IoTuning {
  /** `requestFlag`s of reads: which of the OSDs that have the data are asked. */
  readonly readFlags: number;
  /** Flags of the allocation hint that goes with writes to objects that may be new; undefined for no hint. */
  readonly hintFlags: number | undefined;
  /** Discards leave what does not fill units of this many bytes; 0 for exact ones. */
  readonly discardGranularity: number;
}

export const defaultTuning: IoTuning = { readFlags: 0, hintFlags: 0, discardGranularity: 65_536 };
