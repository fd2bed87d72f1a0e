import type { ImageIo } from "../../src/io/image-io.ts";

import { BufferRequest, CompareRequest, PatternRequest } from "../../src/io/promise-request.ts";

/** An image's requests as Promises of errnos: 0 or a negative one. */
export class Requests {
  readonly io: Target;

  constructor(io: Target) {
    this.io = io;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length, 0xee);
    const result = await run((settling) => this.io.read(new BufferRequest(offset, length, bytes, settling)));
    if (result < 0) throw new Error(`read ${offset}~${length}: ${result}`);
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): Promise<number> {
    return run((settling) => this.io.write(new BufferRequest(offset, bytes.length, bytes, settling)));
  }

  discard(offset: number, length: number): Promise<number> {
    return run((settling) => this.io.discard(new BufferRequest(offset, length, none, settling)));
  }

  writeZeroes(offset: number, length: number): Promise<number> {
    return run((settling) => this.io.writeZeroes(new BufferRequest(offset, length, none, settling)));
  }

  writeSame(offset: number, length: number, pattern: Uint8Array): Promise<number> {
    return run((settling) => this.io.writeSame(new PatternRequest(offset, length, pattern, settling)));
  }

  async compareAndWrite(offset: number, expected: Uint8Array, bytes: Uint8Array) {
    let request: CompareRequest | undefined;
    const result = await run((settling) => {
      request = new CompareRequest(offset, expected, bytes, settling);
      this.io.compareAndWrite(request);
    });
    return { result, mismatchOffset: request!.mismatchOffset };
  }

  flush(): Promise<number> {
    return run((settling) => this.io.flush(new BufferRequest(0, 0, none, settling)));
  }
}

const none = new Uint8Array();

function run(start: (settling: { resolve(): void; reject(result: number): void }) => void): Promise<number> {
  return new Promise((resolve) => start({ resolve: () => resolve(0), reject: resolve }));
}

/** An image's I/O, or a cache in front of it. */
type Target = Pick<
  ImageIo,
  "read" | "write" | "discard" | "writeZeroes" | "writeSame" | "compareAndWrite" | "flush"
>;
