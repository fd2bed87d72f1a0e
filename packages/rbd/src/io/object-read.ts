import { opCode, requestFlag } from "@siphon/rados";
import type { ObjectExtents } from "../striping/extents.ts";
import { errno } from "./errno.ts";
import { ObjectExtent } from "./object-extent.ts";
import type { Operation } from "./operation.ts";
import { type ParentReader, readParent } from "./parent-read.ts";

/** Reads an extent of an object, or where there is no object, of the parent; what neither has is zeros. */
export class ObjectRead extends ObjectExtent implements ParentReader {
  #received = 0;

  begin(operation: Operation, extents: ObjectExtents): void {
    this.assign(operation, extents);
    const { io } = this;
    if (io.objectMap?.mayExist(this.objectNumber) === false) {
      io.counters.holes++;
      this.#readAbsent();
      return;
    }
    this.flags = requestFlag.read;
    this.snapId = io.snapId;
    this.#received = 0;
    this.ops.clear().addExtent(opCode.read, this.objectOffset, this.length);
    io.objecter.submit(this);
  }

  fill(): void {}

  output(_op: number, _result: number, length: number): void {
    this.#received = length;
  }

  take(_op: number, bytes: Buffer, start: number, end: number, position: number): void {
    this.takeToRequest(bytes, start, end, position);
  }

  completed(): void {
    const { result } = this;
    if (result === errno.noEntry) {
      this.#readAbsent();
      return;
    }
    // An object is as long as what was written to it: behind that there are zeros.
    if (result >= 0 && this.#received < this.length) {
      this.zerosToRequest(this.#received, this.length - this.#received);
    }
    this.finish(result);
  }

  takeFromParent(bytes: Buffer, start: number, end: number, position: number): void {
    this.takeToRequest(bytes, start, end, position);
  }

  zerosFromParent(position: number, length: number): void {
    this.zerosToRequest(position, length);
  }

  parentRead(result: number, error: Error | undefined): void {
    if (result < 0) this.operation.fail(result, error);
    this.finish(0);
  }

  protected override release(): void {
    this.io.reads.push(this);
  }

  #readAbsent(): void {
    const { io, objectNumber, objectOffset, length } = this;
    const shared = Math.min(io.parentBytes(objectNumber) - objectOffset, length);
    if (shared <= 0) {
      this.zerosToRequest(0, length);
      this.finish(0);
      return;
    }
    if (shared < length) this.zerosToRequest(shared, length - shared);
    io.counters.parentReads++;
    readParent(io, objectNumber, objectOffset, shared, this);
  }
}
