/**
 * An ordered list of pieces of the guest's memory. Reused. Positions must be within its length; consecutive positions
 * are found without a search.
 */
export class Scatter {
  /** Total length in bytes. */
  length = 0;
  readonly #bytes: Buffer[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  /** Guest addresses of the pieces. */
  readonly #addresses: number[] = [];
  #count = 0;
  /** The piece used last, and its first position. */
  #piece = 0;
  #pieceStart = 0;

  /** Number of pieces. */
  get pieces(): number {
    return this.#count;
  }

  clear(): void {
    this.length = 0;
    this.#count = 0;
    this.#piece = 0;
    this.#pieceStart = 0;
  }

  /** @param address guest address of the bytes */
  add(bytes: Buffer, offset: number, length: number, address: number): void {
    if (length === 0) return;
    const index = this.#count++;
    this.#bytes[index] = bytes;
    this.#offsets[index] = offset;
    this.#lengths[index] = length;
    this.#addresses[index] = address;
    this.length += length;
  }

  addressOf(piece: number): number {
    return this.#addresses[piece]!;
  }

  lengthOf(piece: number): number {
    return this.#lengths[piece]!;
  }

  /** Copies `length` bytes from `position` on to `into` at `at`. */
  read(position: number, into: Buffer, at: number, length: number): void {
    let inside = this.#seek(position);
    for (let left = length, to = at; left > 0; ) {
      const offset = this.#offsets[this.#piece]! + inside;
      const here = Math.min(left, this.#lengths[this.#piece]! - inside);
      this.#bytes[this.#piece]!.copy(into, to, offset, offset + here);
      to += here;
      left -= here;
      inside = left > 0 ? this.#next() : 0;
    }
  }

  /** Copies bytes from `start` up to `end` of `from` to `position`. */
  write(position: number, from: Buffer, start: number, end: number): void {
    let inside = this.#seek(position);
    for (let at = start; at < end; ) {
      const here = Math.min(end - at, this.#lengths[this.#piece]! - inside);
      from.copy(this.#bytes[this.#piece]!, this.#offsets[this.#piece]! + inside, at, at + here);
      at += here;
      inside = at < end ? this.#next() : 0;
    }
  }

  writeZeros(position: number, length: number): void {
    let inside = this.#seek(position);
    for (let left = length; left > 0; ) {
      const offset = this.#offsets[this.#piece]! + inside;
      const here = Math.min(left, this.#lengths[this.#piece]! - inside);
      this.#bytes[this.#piece]!.fill(0, offset, offset + here);
      left -= here;
      inside = left > 0 ? this.#next() : 0;
    }
  }

  /** Makes the piece of a position the current one; returns the offset in the piece. */
  #seek(position: number): number {
    if (position < this.#pieceStart) {
      this.#piece = 0;
      this.#pieceStart = 0;
    }
    while (position >= this.#pieceStart + this.#lengths[this.#piece]!) {
      if (this.#piece + 1 >= this.#count)
        throw new RangeError(`position ${position} is outside ${this.length} bytes`);
      this.#next();
    }
    return position - this.#pieceStart;
  }

  #next(): number {
    if (this.#piece + 1 >= this.#count) throw new RangeError(`the copy exceeds the ${this.length} bytes`);
    this.#pieceStart += this.#lengths[this.#piece]!;
    this.#piece++;
    return 0;
  }
}
