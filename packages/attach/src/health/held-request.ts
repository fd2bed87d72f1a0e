import { ImageRequest } from "@siphon/rbd/engine";

/** Receives the end of a request and passes it on. */
export interface RequestHolder {
  ended(request: HeldRequest): void;
}

/** A request on behalf of another one, which learns the result only when it is passed on. Reused. */
export class HeldRequest extends ImageRequest {
  /** A place of `ioKind`. */
  kind = 0;
  readonly #holder: RequestHolder;
  #outer!: ImageRequest;

  constructor(holder: RequestHolder) {
    super();
    this.#holder = holder;
  }

  begin(outer: ImageRequest, kind: number): void {
    this.#outer = outer;
    this.kind = kind;
    this.client = outer.client;
    this.rewind();
  }

  /** Submits the request again. */
  rewind(): void {
    this.offset = this.#outer.offset;
    this.length = this.#outer.length;
  }

  fill(into: Buffer, at: number, position: number, length: number): void {
    this.#outer.fill(into, at, position, length);
  }

  override dataInPlace(position: number, length: number): Uint8Array | undefined {
    return this.#outer.dataInPlace(position, length);
  }

  take(bytes: Buffer, start: number, end: number, position: number): void {
    this.#outer.take(bytes, start, end, position);
  }

  takeZeros(position: number, length: number): void {
    this.#outer.takeZeros(position, length);
  }

  completed(): void {
    this.#holder.ended(this);
  }

  /** Reports the result to the requester; the request may be used again from then on. */
  give(): ImageRequest {
    const outer = this.#outer;
    outer.result = this.result;
    outer.error = this.error;
    outer.length = this.length;
    return outer;
  }
}
