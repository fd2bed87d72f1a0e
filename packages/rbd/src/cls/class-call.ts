import { Writer as ByteWriter, Reader, type Writer } from "@siphon/wire";

/** A call of a method of an object class: its input, and the decoder of its output. */
export interface ClassCall<Value = void> {
  readonly className: string;
  readonly method: string;
  readonly input: Buffer;
  /** @throws WireError for an invalid output */
  decode(output: Buffer): Value;
}

/** A method of the class `rbd` with an output. */
export function query<Value>(
  method: string,
  decode: (r: Reader) => Value,
  input?: (w: Writer) => void,
): ClassCall<Value> {
  return {
    ...{ className: "rbd", method, input: written(input) },
    decode: (output) => decode(new Reader(output, `answer of rbd.${method}`)),
  };
}

/** A method of the class `rbd` that makes a change and has no output. */
export function change(method: string, input?: (w: Writer) => void): ClassCall {
  return { className: "rbd", method, input: written(input), decode: () => {} };
}

export function written(input: ((w: Writer) => void) | undefined): Buffer {
  const writer = new ByteWriter(64);
  input?.(writer);
  return writer.finish();
}
