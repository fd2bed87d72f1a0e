import type { ImageRequest } from "../io/image-request.ts";

/** Bytes of a page; pages begin at multiples of it. */
export const pageSize = 4096;

/** The most recently used pages of an image, up to the limit. */
export class PageCache {
  readonly #pages = new Map<number, Buffer>();
  readonly #limit: number;

  /** @param bytes of all pages together */
  constructor(bytes: number) {
    this.#limit = Math.floor(bytes / pageSize);
  }

  get pages(): number {
    return this.#pages.size;
  }

  /** Serves a read from the pages; false if some are missing. */
  serve(request: ImageRequest): boolean {
    const { offset, length } = request;
    const first = Math.floor(offset / pageSize);
    const last = Math.floor((offset + length - 1) / pageSize);
    for (let page = first; page <= last; page++) if (!this.#pages.has(page)) return false;
    for (let page = first; page <= last; page++) {
      const bytes = this.#pages.get(page)!;
      // Most recently used last.
      this.#pages.delete(page);
      this.#pages.set(page, bytes);
      const start = Math.max(offset - page * pageSize, 0);
      const end = Math.min(offset + length - page * pageSize, pageSize);
      request.take(bytes, start, end, page * pageSize + start - offset);
    }
    return true;
  }

  /** Updates pages with written data: pages that it covers, and cached ones. */
  update(offset: number, bytes: Buffer): void {
    const end = offset + bytes.length;
    for (let at = offset; at < end; ) {
      const within = at % pageSize;
      const length = Math.min(pageSize - within, end - at);
      const known = this.#pages.get((at - within) / pageSize);
      const data = bytes.subarray(at - offset, at - offset + length);
      if (length === pageSize) this.insert(at, data);
      else if (known !== undefined) data.copy(known, within);
      at += length;
    }
  }

  /** Caches whole pages. @param offset a multiple of the page size */
  insert(offset: number, bytes: Buffer): void {
    for (let at = 0; at + pageSize <= bytes.length; at += pageSize) {
      const page = (offset + at) / pageSize;
      this.#pages.delete(page);
      // A copy, so that one page does not keep all of a large read in memory.
      this.#pages.set(page, Buffer.from(bytes.subarray(at, at + pageSize)));
    }
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= this.#limit) break;
      this.#pages.delete(page);
    }
  }

  forget(offset: number, length: number): void {
    const first = Math.floor(offset / pageSize);
    const last = Math.floor((offset + length - 1) / pageSize);
    if (last - first > this.#pages.size) {
      for (const page of this.#pages.keys()) if (page >= first && page <= last) this.#pages.delete(page);
    } else for (let page = first; page <= last; page++) this.#pages.delete(page);
  }

  clear(): void {
    this.#pages.clear();
  }
}
