import type { RadosError } from "../../src/errors.ts";
import type { ObjectRequest } from "../../src/objecter/request.ts";

/** Takes requests in place of a cluster; the test answers them. */
export class FakeObjecter {
  readonly requests: ObjectRequest[] = [];

  submit(request: ObjectRequest): void {
    this.requests.push(request);
  }

  cancel(request: ObjectRequest, error: RadosError): boolean {
    const at = this.requests.indexOf(request);
    if (at < 0) return false;
    this.requests.splice(at, 1);
    request.error = error;
    request.result = -125;
    request.completed();
    return true;
  }

  /** Answers the oldest request. */
  answer(result: number, outputs: readonly { result?: number; bytes?: Uint8Array }[] = []): ObjectRequest {
    const request = this.requests.shift()!;
    for (const [op, { result: opResult = 0, bytes = new Uint8Array() }] of outputs.entries()) {
      const output = Buffer.from(bytes);
      request.output(op, opResult, output.length);
      if (output.length > 0) request.take(op, output, 0, output.length, 0);
    }
    request.result = result;
    request.completed();
    return request;
  }
}

/** A request's operations as they go on the wire: code, flags, arguments in hex without the zeros behind, input. */
export function opsOf(
  request: ObjectRequest,
): { code: number; flags: number; arguments: string; input: Buffer }[] {
  const { ops } = request;
  return Array.from({ length: ops.count }, (_, op) => {
    const at = op * 38;
    const input = Buffer.alloc(ops.inputLength(op));
    if (input.length > 0) request.fill(op, input, 0);
    return {
      code: ops.code(op),
      flags: ops.view.getUint32(at + 2, true),
      arguments: ops.bytes.toString("hex", at + 6, at + 34).replace(/(00)*$/, ""),
      input,
    };
  });
}
