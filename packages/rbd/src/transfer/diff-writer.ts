import { Writer } from "@siphon/wire";
import type { ByteSink } from "./byte-sink.ts";
import { type DiffFormat, type DiffHeader, diffBanner, diffTag } from "./diff-format.ts";

/** Writes a diff in either format, record by record in the order of the calls. */
export class DiffWriter {
  readonly #sink: ByteSink;
  readonly #format: DiffFormat;
  #position: number;

  /** @param position bytes already in the stream, for a diff that is continued */
  constructor(sink: ByteSink, format: DiffFormat, position = 0) {
    this.#sink = sink;
    this.#format = format;
    this.#position = position;
  }

  /** Bytes written, from the start of the stream. */
  get position(): number {
    return this.#position;
  }

  /** Writes the banner and the header fields, in `rbd`'s order. */
  async header(header: DiffHeader): Promise<void> {
    const w = new Writer().raw(Buffer.from(diffBanner[this.#format]));
    if (header.from !== undefined) this.#name(w, diffTag.fromSnapshot, header.from);
    if (header.to !== undefined) this.#name(w, diffTag.toSnapshot, header.to);
    if (header.isProtected !== undefined && this.#format === 2) {
      this.#tag(w, diffTag.protection, 1).bool(header.isProtected);
    }
    if (header.size !== undefined) this.#tag(w, diffTag.size, 8).u64(header.size);
    await this.#write(w.finish());
  }

  /** Begins a record of `length` bytes, which `data` then writes. */
  async write(offset: number, length: number): Promise<void> {
    await this.#write(this.#extent(diffTag.write, offset, length, length));
  }

  async data(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes);
  }

  async zero(offset: number, length: number): Promise<void> {
    await this.#write(this.#extent(diffTag.zero, offset, length, 0));
  }

  async end(): Promise<void> {
    await this.#write(Buffer.of(diffTag.end));
  }

  #extent(tag: number, offset: number, length: number, following: number): Buffer {
    return this.#tag(new Writer(32), tag, 16 + following)
      .u64(offset)
      .u64(length)
      .finish();
  }

  #name(w: Writer, tag: number, name: string): void {
    this.#tag(w, tag, 4 + Buffer.byteLength(name)).string(name);
  }

  #tag(w: Writer, tag: number, length: number): Writer {
    w.u8(tag);
    return this.#format === 2 ? w.u64(length) : w;
  }

  #write(bytes: Uint8Array): void | Promise<void> {
    this.#position += bytes.length;
    return this.#sink.write(bytes);
  }
}
