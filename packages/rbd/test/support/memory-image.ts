import type { DiffExtent, DiffSource, DiffTarget } from "../../src/transfer/image-ends.ts";

/** An image in memory with what transfers need; its changes are the extents given. */
export class MemoryImage implements DiffSource, DiffTarget {
  bytes: Buffer;
  changes: DiffExtent[];
  readonly snapshots = new Map<string, { bytes: Buffer; isProtected: boolean }>();
  /** Operations under way, and the most there were at once. */
  underWay = 0;
  mostUnderWay = 0;
  writtenBytes = 0;

  constructor(bytes: Buffer = Buffer.alloc(0), changes: DiffExtent[] = []) {
    this.bytes = bytes;
    this.changes = changes;
  }

  get size(): number {
    return this.bytes.length;
  }

  async *extents(start = 0): AsyncGenerator<DiffExtent> {
    yield* this.changes.filter(({ offset, length }) => offset + length > start);
  }

  read(offset: number, length: number): Promise<Buffer> {
    return this.#operation(() => Buffer.from(this.bytes.subarray(offset, offset + length)));
  }

  write(offset: number, bytes: Buffer): Promise<void> {
    if (offset + bytes.length > this.size) return Promise.reject(new Error("a write beyond the end"));
    this.writtenBytes += bytes.length;
    return this.#operation(() => void bytes.copy(this.bytes, offset));
  }

  writeZeroes(offset: number, length: number): Promise<void> {
    return this.#operation(() => void this.bytes.fill(0, offset, offset + length));
  }

  async resize(size: number): Promise<void> {
    const resized = Buffer.alloc(size);
    this.bytes.copy(resized);
    this.bytes = resized;
  }

  async flush(): Promise<void> {}

  async hasSnapshot(name: string): Promise<boolean> {
    return this.snapshots.has(name);
  }

  async createSnapshot(name: string, isProtected: boolean): Promise<void> {
    this.snapshots.set(name, { bytes: Buffer.from(this.bytes), isProtected });
  }

  async #operation<T>(what: () => T): Promise<T> {
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    await new Promise(setImmediate);
    this.underWay--;
    return what();
  }
}
