import { opCode, requestFlag } from "@siphon/rados/engine";
import { errno } from "@siphon/wire";
import { errnoOf } from "../errors.ts";
import type { ObjectExtents } from "../striping/extents.ts";
import type { ExtentHost } from "./extent-host.ts";
import { ObjectExtent } from "./object-extent.ts";
import type { Operation } from "./operation.ts";
import { type ParentReader, readParent } from "./parent-read.ts";
import type { PresenceWaiter } from "./presence.ts";

/**
 * Reads an extent of an object, or without an object, of the parent; bytes in neither are zeros. An object counts as
 * absent if the object map says so, or if the OSD says so and the image that is read still exists.
 */
export class ObjectRead extends ObjectExtent implements ParentReader, PresenceWaiter {
  #received = 0;
  /** Bytes of the object that the parent had at the time of the request. */
  #parentBytes = 0;
  #renewals = 0;
  readonly #spares: ObjectRead[];

  /** @param spares the pool of unused objects */
  constructor(io: ExtentHost, spares: ObjectRead[]) {
    super(io);
    this.#spares = spares;
  }

  begin(operation: Operation, extents: ObjectExtents): void {
    this.assign(operation, extents);
    this.#renewals = 0;
    this.#start();
  }

  #start(): void {
    const { io } = this;
    if (io.objectMap?.mayExist(this.objectNumber) === false) {
      io.counters.holes++;
      this.#readAbsent();
      return;
    }
    this.flags = requestFlag.read | io.tuning.readFlags;
    this.snapId = io.snapId;
    this.#received = 0;
    this.#parentBytes = io.parentBytes(this.objectNumber);
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
    const { result, io } = this;
    if (result === -errno.ENOENT) {
      if (io.presence === undefined) this.confirmed(0);
      else io.presence.confirm(this);
      return;
    }
    // An object ends at the last written byte: zeros follow.
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
    if (result < 0) this.#failed(result, error);
    else this.finish(0);
  }

  confirmed(result: number, error?: Error): void {
    if (result < 0) this.#failed(result, error);
    // The image was flattened meanwhile: the object exists now.
    else if (this.io.parentBytes(this.objectNumber) !== this.#parentBytes) this.#start();
    else this.#readAbsent();
  }

  protected override release(): void {
    this.#spares.push(this);
  }

  #failed(result: number, error: Error | undefined): void {
    const { renew } = this.io;
    if (result === -errno.ESTALE && renew !== undefined && this.#renewals++ < mostRenewals) {
      renew().then(
        () => this.#start(),
        (reason: Error) => this.#fail(errnoOf(reason), reason),
      );
    } else this.#fail(result, error);
  }

  #fail(result: number, error: Error | undefined): void {
    this.operation.fail(result, error);
    this.finish(0);
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

/** Maximum number of retries; each follows a change of the parents by another client. */
const mostRenewals = 10;
