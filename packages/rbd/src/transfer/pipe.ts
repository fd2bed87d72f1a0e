import type { ByteSink } from "./byte-sink.ts";

/** Unread bytes at which writes begin to wait. */
const mostWaiting = 1024 * 1024;

/** The output of `produce` as a stream: writes wait while too much is unread, and fail when the reader stops. */
export async function* streamOf(
  produce: (sink: ByteSink) => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pipe = new Pipe();
  const produced = produce(pipe).then(
    () => pipe.end(),
    (error: unknown) => pipe.end({ error }),
  );
  try {
    for (let parts = await pipe.take(); parts !== undefined; parts = await pipe.take()) yield* parts;
  } finally {
    pipe.close();
    await produced;
  }
}

class Pipe implements ByteSink {
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #isClosed = false;
  #end: { error?: unknown } | undefined;
  /** Wakes the waiting side; they never both wait. */
  #wake = () => {};

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) throw new Error("nobody reads any more");
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    this.#wake();
    if (this.#bytes < mostWaiting) return;
    await this.#change();
    if (this.#isClosed) throw new Error("nobody reads any more");
  }

  async finish(): Promise<void> {}

  /** All unread bytes; undefined at the end. */
  async take(): Promise<Uint8Array[] | undefined> {
    while (this.#parts.length === 0 && this.#end === undefined) await this.#change();
    const parts = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    this.#wake();
    if (parts.length > 0) return parts;
    if (this.#end !== undefined && "error" in this.#end) throw this.#end.error;
    return undefined;
  }

  end(end: { error?: unknown } = {}): void {
    this.#end = end;
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }
}
