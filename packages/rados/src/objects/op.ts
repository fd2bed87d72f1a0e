import type { OpList } from "../objecter/op-list.ts";

/** One operation on an object: its encoding, and the decoding of its answer. */
export interface Op<Value = unknown> {
  readonly code: number;
  /** `opFlag`s. */
  flags?: number;
  /** Writes the arguments, up to 28 bytes, at an offset in the list's `view`. */
  readonly writeArguments?: (ops: OpList, at: number) => void;
  readonly input?: Uint8Array;
  /** Buffer for the output, up to its length; default: allocated. */
  readonly into?: Uint8Array;
  /** @throws WireError for an invalid output */
  decode(output: Buffer, result: number): Value;
}
