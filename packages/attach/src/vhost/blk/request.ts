import { ImageRequest } from "@siphon/rbd/engine";
import type { BlockDevice } from "../../block-device.ts";
import { type IoMetrics, ioKind } from "../../server/io-metrics.ts";
import type { GuestMemory } from "../memory/guest-memory.ts";
import { Chain } from "../ring/chain.ts";
import { mostRangeBytes, mostRanges, sectorBytes } from "./config-space.ts";

/*
 * A request, virtio 1.2, 5.2.6: u32 type, u32 reserved, u64 sector, then the data to write, or the buffers to read
 * into, and a status byte. The data of discard and write-zeroes are ranges: u64 sector, u32 sectors, u32 flags.
 */
const headerBytes = 16;
const rangeBytes = 16;
const idBytes = 20;
const flagUnmap = 1;

const requestType = { read: 0, write: 1, flush: 4, getId: 8, discard: 11, writeZeroes: 13 } as const;
const status = { ok: 0, ioError: 1, unsupported: 2 } as const;

/** Maximum bytes of a transfer: no driver requests more. */
const mostTransferBytes = 64 << 20;
/** Longer transfers go through the device in steps, one at a time: steps that have not begun hold no memory. */
const stepBytes = 4 << 20;
/** Bytes charged for a request and for each piece of its chain, besides the data: memory of this process. */
const requestOverhead = 1024;
const pieceOverhead = 64;

/** The parts of the device and of the ring that a request uses. */
export interface RequestOwner {
  readonly device: BlockDevice;
  readonly metrics: IoMetrics;
  /** The disk's serial number for the guest; at most 20 bytes. */
  readonly serial: string;
  /** Whether every write must be flushed before it is acknowledged. */
  readonly flushesWrites: boolean;
}

/** Returns a request's chain to the driver, or drops it if the ring is gone. */
export interface RequestQueue {
  done(request: BlkRequest, written: number): void;
}

/** A request of the guest. Its data moves directly from and to the guest's memory. The object is reused. */
export class BlkRequest extends ImageRequest {
  readonly chain = new Chain();
  head = 0;
  readonly #owner: RequestOwner;
  #queue: RequestQueue | undefined;
  #orphaned = false;
  #kept: Buffer | undefined;
  #memory: GuestMemory | undefined;
  #type = 0;
  #flushing = false;
  #range = 0;
  #ranges = 0;
  #bytes = 0;
  /** Offset of a transfer on the device, and the bytes done. */
  #start = 0;
  #done = 0;
  #startedAt = 0;
  /** Bytes charged to the budgets while it is in flight. */
  cost = 0;

  constructor(owner: RequestOwner) {
    super();
    this.#owner = owner;
    this.client = owner;
  }

  /** Keeps the chain's memory mapped until `release`. */
  hold(memory: GuestMemory): void {
    this.#memory = memory;
    memory.hold();
  }

  release(): void {
    this.#memory?.release();
    this.#memory = undefined;
  }

  /** Bytes that the request may hold, according to its chain. */
  estimate(): number {
    const { readable, writable } = this.chain;
    const bytes = Math.min(readable.length + writable.length, stepBytes);
    this.cost = bytes + requestOverhead + this.chain.pieces * pieceOverhead;
    return this.cost;
  }

  /**
   * Detaches a request in flight from the guest's memory, which the guest may reuse: data read is dropped, and data
   * being written is copied now. Steps that have not begun are skipped.
   */
  orphan(heir: RequestQueue): void {
    if (this.#type === requestType.write && this.#done < this.#bytes) {
      this.#kept = Buffer.allocUnsafe(this.length);
      this.chain.readable.read(headerBytes + this.#done, this.#kept, 0, this.length);
    }
    this.#orphaned = true;
    this.#queue = heir;
    this.release();
  }

  /** Starts the request; false if its chain has no room for a header and a status, so that it cannot be answered. */
  start(queue: RequestQueue): boolean {
    const { readable, writable } = this.chain;
    if (readable.length < headerBytes || writable.length < 1) return false;
    this.#queue = queue;
    this.#orphaned = false;
    this.#kept = undefined;
    this.#flushing = false;
    this.#bytes = 0;
    this.#done = 0;
    this.length = 0;
    this.result = 0;
    this.error = undefined;
    readable.read(0, scratch, 0, headerBytes);
    this.#type = scratch.readUInt32LE(0);
    this.#startedAt = this.#owner.metrics.started();
    switch (this.#type) {
      case requestType.read:
        this.#transfer(writable.length - 1);
        break;
      case requestType.write:
        this.#transfer(readable.length - headerBytes);
        break;
      case requestType.flush:
        this.#owner.device.flush(this);
        break;
      case requestType.getId:
        this.#getId();
        break;
      case requestType.discard:
      case requestType.writeZeroes:
        this.#startRanges();
        break;
      default:
        this.#finish(status.unsupported);
    }
    return true;
  }

  fill(into: Buffer, at: number, position: number, length: number): void {
    if (this.#kept === undefined)
      this.chain.readable.read(headerBytes + this.#done + position, into, at, length);
    else this.#kept.copy(into, at, position, position + length);
  }

  take(bytes: Buffer, start: number, end: number, position: number): void {
    if (!this.#orphaned) this.chain.writable.write(this.#done + position, bytes, start, end);
  }

  takeZeros(position: number, length: number): void {
    if (!this.#orphaned) this.chain.writable.writeZeros(this.#done + position, length);
  }

  completed(): void {
    if (this.result < 0) {
      this.#finish(status.ioError);
      return;
    }
    if (this.#range < this.#ranges) {
      this.#nextRange();
      return;
    }
    if (this.#isTransfer && !this.#flushing) {
      this.#done += this.length;
      if (this.#done < this.#bytes) {
        this.#nextStep();
        return;
      }
    }
    const changes = this.#type !== requestType.read && this.#type !== requestType.flush;
    if (changes && this.#owner.flushesWrites && !this.#flushing) {
      this.#flushing = true;
      this.#owner.device.flush(this);
      return;
    }
    this.#finish(status.ok);
  }

  get #isTransfer(): boolean {
    return this.#type === requestType.read || this.#type === requestType.write;
  }

  /** The header's sector is still in `scratch`. */
  #transfer(length: number): void {
    const { device } = this.#owner;
    const write = this.#type === requestType.write;
    if (length > mostTransferBytes || !this.#aim(8, length) || (write && device.readOnly)) {
      this.#finish(status.ioError);
      return;
    }
    this.#bytes = length;
    this.#start = this.offset;
    if (length === 0) this.#finish(status.ok);
    else this.#nextStep();
  }

  /** Steps end at usual object boundaries. */
  #nextStep(): void {
    const { device } = this.#owner;
    if (this.#orphaned) {
      this.#finish(status.ioError);
      return;
    }
    this.offset = this.#start + this.#done;
    const left = this.#bytes - this.#done;
    this.length = left <= stepBytes ? left : stepBytes - (this.offset % stepBytes);
    if (this.#type === requestType.write) device.write(this);
    else device.read(this);
  }

  #getId(): void {
    const length = Math.min(idBytes, this.chain.writable.length - 1);
    scratch.fill(0, 0, idBytes);
    scratch.write(this.#owner.serial, 0, idBytes);
    this.chain.writable.write(0, scratch, 0, length);
    this.#finish(status.ok, length);
  }

  #startRanges(): void {
    const length = this.chain.readable.length - headerBytes;
    const count = length / rangeBytes;
    if (!Number.isInteger(count) || count === 0 || count > mostRanges) {
      this.#finish(status.unsupported);
      return;
    }
    if (this.#owner.device.readOnly) {
      this.#finish(status.ioError);
      return;
    }
    this.#range = 0;
    this.#ranges = count;
    this.#nextRange();
  }

  /** Handles one range after another; each is read and checked when its turn comes. */
  #nextRange(): void {
    const { device } = this.#owner;
    if (this.#orphaned) {
      this.#finish(status.ioError);
      return;
    }
    this.chain.readable.read(headerBytes + this.#range * rangeBytes, scratch, 0, rangeBytes);
    const discard = this.#type === requestType.discard;
    if ((scratch.readUInt32LE(12) & ~(discard ? 0 : flagUnmap)) !== 0) {
      this.#finish(status.unsupported);
      return;
    }
    const length = scratch.readUInt32LE(8) * sectorBytes;
    if (length > mostRangeBytes || !this.#aim(0, length)) {
      this.#finish(status.ioError);
      return;
    }
    this.#range++;
    this.#bytes += length;
    if (length === 0) this.completed();
    else if (discard) device.discard(this);
    else device.writeZeroes(this);
  }

  /** Reads the sector at an offset of `scratch`; false if the range exceeds the device. */
  #aim(sectorAt: number, length: number): boolean {
    const sector = scratch.readUInt32LE(sectorAt) + scratch.readUInt32LE(sectorAt + 4) * 0x100000000;
    this.offset = sector * sectorBytes;
    this.length = length;
    return length % sectorBytes === 0 && this.offset + length <= this.#owner.device.size;
  }

  #finish(code: number, written = this.#type === requestType.read ? this.#bytes : 0): void {
    const { writable } = this.chain;
    const ok = code === status.ok;
    this.#ranges = 0;
    const kind = metricKinds.get(this.#type);
    if (kind === undefined) this.#owner.metrics.inFlight--;
    else this.#owner.metrics.finished(kind, this.#bytes, this.#startedAt, !ok);
    if (!this.#orphaned) {
      statusByte[0] = code;
      writable.write(writable.length - 1, statusByte, 0, 1);
    }
    this.#queue!.done(this, ok ? written + 1 : 1);
  }
}

/** Headers and ranges are copied before they are checked, because the guest may change its memory. */
const scratch = Buffer.alloc(32);
const statusByte = Buffer.alloc(1);

const metricKinds = new Map<number, number>([
  [requestType.read, ioKind.read],
  [requestType.write, ioKind.write],
  [requestType.flush, ioKind.flush],
  [requestType.discard, ioKind.discard],
  [requestType.writeZeroes, ioKind.writeZeroes],
]);
