import type { OpList } from "../objecter/op-list.ts";

/** One thing to do with an object: how it goes out, and what the answer means. */
export interface Op<Value = unknown> {
  readonly code: number;
  /** `opFlag`s. */
  flags?: number;
  /** Writes the arguments, up to 28 bytes, at an offset in the list's `view`. */
  readonly writeArguments?: (ops: OpList, at: number) => void;
  readonly input?: Uint8Array;
  /** Where the output goes, up to the memory's length; otherwise memory is made for it. */
  readonly into?: Uint8Array;
  /** @throws WireError for an output that cannot be */
  decode(output: Buffer, result: number): Value;
}
