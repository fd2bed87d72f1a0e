import { Writer as ByteWriter, Reader, type Writer } from "@siphon/wire";

/** A call of a method of an object class: what goes in, and what its output says. */
export interface ClassCall<Value = void> {
  readonly className: string;
  readonly method: string;
  readonly input: Buffer;
  /** @throws WireError for an output that no such method gives */
  decode(output: Buffer): Value;
}

/** A method of the class `rbd` that gives something back. */
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

/** A method of the class `rbd` that changes something and gives nothing back. */
export function change(method: string, input?: (w: Writer) => void): ClassCall {
  return { className: "rbd", method, input: written(input), decode: () => {} };
}

export function written(input: ((w: Writer) => void) | undefined): Buffer {
  const writer = new ByteWriter(64);
  input?.(writer);
  return writer.finish();
}
