import { closeQuietly } from "../../src/vhost/native/event.ts";
import { createSharedMemory, Mapping } from "../../src/vhost/native/mapping.ts";
import { u64 } from "../../src/vhost/protocol/payloads.ts";

/** The memory for marks of changed pages, which the front-end shares with the back-end. */
export class MigrationLog implements Disposable {
  readonly fd: number;
  readonly bytes: number;
  readonly #mapping: Mapping;
  readonly #bits: Uint8Array;

  constructor(bytes: number) {
    this.bytes = bytes;
    this.fd = createSharedMemory("log", bytes);
    this.#mapping = new Mapping(this.fd, 0, bytes);
    this.#bits = new Uint8Array(this.#mapping.view(0, bytes));
  }

  /** As SET_LOG_BASE has it. */
  description(size = this.bytes, offset = 0): Buffer {
    return Buffer.concat([u64(size), u64(offset)]);
  }

  /** Numbers of the pages that are marked; they are not any more then. */
  take(): Set<number> {
    const pages = new Set<number>();
    for (let byte = 0; byte < this.#bits.length; byte++) {
      const marked = Atomics.exchange(this.#bits, byte, 0);
      for (let bit = 0; bit < 8; bit++) if ((marked & (1 << bit)) !== 0) pages.add(8 * byte + bit);
    }
    return pages;
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
    closeQuietly(this.fd);
  }
}
