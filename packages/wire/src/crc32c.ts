import { crc32cKernel, kernelDataAt, kernelOverread } from "./crc32c-kernel.ts";
import { crc32cByTable, crcTables } from "./crc32c-table.ts";
import { type WasmMemory, type WasmModule, webAssembly } from "./wasm.ts";

/**
 * CRC-32C of the bytes from `start` up to `end`, continuing from `seed`; unsigned 32-bit. As Ceph's
 * ceph_crc32c: the raw remainder, with neither the seed nor the result inverted (Ceph seeds with
 * 0xffffffff in the messenger and in maps, and takes the result as it is).
 *
 * It copies the bytes; `ChecksumBuffer` avoids this for memory that is checked repeatedly.
 */
export function crc32c(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (end - start < leastStaged) return crc32cByTable(seed, bytes, start, end);
  staging ??= new ChecksumBuffer(stagingBytes);
  let crc = seed;
  for (let at = start; at < end; at += stagingBytes) {
    const part = Math.min(end - at, stagingBytes);
    staging.bytes.set(bytes.subarray(at, at + part));
    crc = staging.crc32c(crc, 0, part);
  }
  return crc;
}

/**
 * A buffer of fixed size for checksums in place, at about 0.1 ns per byte: its memory is that of the WebAssembly
 * kernel. For buffers that live as long as a connection. The kernel starts when enough bytes were checked to pay for
 * it; until then, and without WebAssembly SIMD, tables are used.
 */
export class ChecksumBuffer {
  readonly bytes: Buffer;
  readonly #memory: WasmMemory | undefined;
  #kernel: Kernel | undefined;

  /** @param size in bytes */
  constructor(size: number) {
    if (webAssembly === undefined) {
      this.bytes = Buffer.alloc(size);
      return;
    }
    const pages = Math.ceil((kernelDataAt + size + kernelOverread) / 65536);
    this.#memory = new webAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = Buffer.from(this.#memory.buffer, kernelDataAt, size);
  }

  /**
   * CRC-32C of the bytes from `start` up to `end` of this buffer, continuing from `seed`.
   *
   * @throws RangeError for a range outside of the buffer
   */
  crc32c(seed: number, start: number, end: number): number {
    if (start < 0 || start > end || end > this.bytes.length) {
      throw new RangeError(`bytes ${start} to ${end} are outside a buffer of ${this.bytes.length} bytes`);
    }
    if (this.#kernel === undefined) {
      plainBytes -= end - start;
      if (plainBytes < 0) this.#startKernel();
      if (this.#kernel === undefined) return crc32cByTable(seed, this.bytes, start, end);
    }
    return this.#kernel(seed, kernelDataAt + start, kernelDataAt + end) >>> 0;
  }

  #startKernel(): void {
    if (webAssembly === undefined || this.#memory === undefined) return;
    kernelModule ??= compileKernel();
    if (kernelModule === null) return;
    new Int32Array(this.#memory.buffer).set(crcTables);
    const { exports } = new webAssembly.Instance(kernelModule, { env: { memory: this.#memory } });
    this.#kernel = exports.crc32c as Kernel;
  }
}

type Kernel = (seed: number, at: number, end: number) => number;

/** Below this length the tables are faster than the copy. */
const leastStaged = 256;
const stagingBytes = 64 * 1024;

let staging: ChecksumBuffer | undefined;
/** Bytes to check before the kernel is started: they take about as long as its start. */
let plainBytes = 64 * 1024;
let kernelModule: WasmModule | null | undefined;

function compileKernel(): WasmModule | null {
  const bytes = crc32cKernel();
  return webAssembly?.validate(bytes) ? new webAssembly.Module(bytes) : null;
}
