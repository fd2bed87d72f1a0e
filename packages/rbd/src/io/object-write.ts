import { type OpList, opCode, requestFlag } from "@siphon/rados/engine";
import { errno } from "@siphon/wire";
import type { MapWaiter } from "../object-map/object-map.ts";
import { objectState } from "../object-map/object-state.ts";
import type { ObjectExtents } from "../striping/extents.ts";
import { ClassMethod } from "./class-method.ts";
import type { ExtentHost } from "./extent-host.ts";
import { type CompareAndWriteRequest, WriteSameRequest } from "./image-request.ts";
import { ObjectCopy } from "./object-copy.ts";
import { ObjectExtent } from "./object-extent.ts";
import type { Operation } from "./operation.ts";

/** A compareExtent result below this gives the offset of the mismatch: `-4095 - byte` (MAX_ERRNO). */
const maxErrno = 4095;
export const copyUpMethod = new ClassMethod("rbd", "copyup");

/** The image that writes to its objects belong to. */
export interface WriteHost extends ExtentHost {
  readonly copyUps: {
    /** The running copy-up of an object. */
    running(objectNumber: number): { join(write: ObjectWrite): void } | undefined;
    /** Carries a write out when the object has the parent's data. */
    before(write: ObjectWrite): void;
  };
  /** Writes to an object in flight that may still find that it needs a copy-up. */
  readonly guardedWrites: Map<number, number>;
  /** Sequence number of the last write to an object. */
  lastWrite: number;
}

/** The copy-up that is sent together with a write. */
export interface SentCopyUp {
  readonly data: Buffer;
  written(result: number, error: Error | undefined): void;
}

/** The effect of a discard on the object. */
type DiscardAction = "remove" | "truncate" | "zero";

/**
 * Changes an extent of an object, in the steps of src/librbd/io/ObjectRequest.cc. First the object map records that the
 * object exists, then the write is sent. If the parent has data for the object, the write is guarded by the object's
 * existence, and a missing object gets a copy-up first. The object map is updated again after a removal.
 */
export class ObjectWrite extends ObjectExtent<WriteHost> implements MapWaiter {
  /** A later write has a higher number. */
  number = 0;
  #step: "mapBefore" | "write" | "mapAfter" = "write";
  #action: DiscardAction = "zero";
  /** The object may need a copy-up before the write. */
  #guarded = false;
  #mayExist = true;
  /** Maps operations to their inputs. */
  #copyUpOp = -1;
  #compareOp = -1;
  #dataOp = -1;
  /** Sent together with this write. */
  #copyUp: SentCopyUp | undefined;
  readonly #spares: ObjectWrite[];

  /** @param spares the pool of unused objects */
  constructor(io: WriteHost, spares: ObjectWrite[]) {
    super(io);
    this.#spares = spares;
  }

  begin(operation: Operation, extents: ObjectExtents): void {
    this.assign(operation, extents);
    this.number = ++this.io.lastWrite;
    this.start();
  }

  /** Discards the part of the extent that fills units of the granularity, if any. */
  beginDiscard(operation: Operation, extents: ObjectExtents, granularity: number): void {
    this.assign(operation, extents);
    this.number = ++this.io.lastWrite;
    const { objectSize } = this.layout;
    const unit = Math.min(granularity, objectSize);
    let end = this.objectOffset + this.length;
    if (unit > 0 && (unit < objectSize || end < objectSize)) {
      this.objectOffset = Math.ceil(this.objectOffset / unit) * unit;
      end = Math.floor(end / unit) * unit;
      this.length = end - this.objectOffset;
      if (this.length <= 0) {
        this.finish(0);
        return;
      }
    }
    this.start();
  }

  /** Starts, or restarts after another write's copy-up of the object. */
  start(): void {
    const { io, objectNumber } = this;
    const map = io.objectMap;
    const hasParent = io.parentBytes(objectNumber) > 0;
    const whole = this.objectOffset === 0 && this.length === this.layout.objectSize;
    const { kind } = this.operation;
    this.#guarded = hasParent && !(whole && this.#hidesParent());
    this.#mayExist = true;
    this.#copyUp = undefined;
    if (kind === "discard" || kind === "writeZeroes") this.#action = this.#discardAction(whole, hasParent);
    const running = hasParent ? io.copyUps.running(objectNumber) : undefined;
    if (running !== undefined) {
      running.join(this);
      return;
    }
    if (map === undefined) {
      this.#send();
      return;
    }
    this.#mayExist = map.mayExist(objectNumber) || map.busy(objectNumber);
    if (!this.#mayExist && !hasParent && (kind === "discard" || kind === "writeZeroes")) {
      this.finish(0);
      return;
    }
    if (!this.#mayExist && this.#guarded) {
      io.copyUps.before(this);
      return;
    }
    this.#step = "mapBefore";
    if (!map.update(objectNumber, this.mapState, undefined, this)) this.#send();
  }

  /** The state of the object in the map while this write is in flight. */
  get mapState(): number {
    const { kind } = this.operation;
    const removes = (kind === "discard" || kind === "writeZeroes") && this.#action === "remove";
    return removes ? objectState.pending : objectState.exists;
  }

  /** A comparison would not see data that is copied up in the same request. */
  get goesWithCopyUp(): boolean {
    return this.operation.kind !== "compareAndWrite";
  }

  /** Sends the copied-up data and the write in one request. */
  sendWith(copyUp: SentCopyUp): void {
    this.#copyUp = copyUp;
    this.#guarded = false;
    this.#send();
  }

  mapUpdated(result: number, error?: Error): void {
    // A removed object may still exist in the map for a while.
    if (this.#step === "mapAfter" && result !== -errno.ESHUTDOWN) this.finish(0);
    else if (result < 0) this.fail(result, error);
    else this.#send();
  }

  fail(result: number, error: Error | undefined): void {
    this.operation.fail(result, error);
    this.finish(0);
  }

  fill(op: number, into: Buffer, at: number): void {
    if (op === this.#dataOp) this.#fillData(into, at);
    else if (op === this.#copyUpOp) copyUpMethod.fill(into, at, this.#copyUp!.data);
    else if (op === this.#compareOp) {
      const request = this.request as CompareAndWriteRequest;
      request.fillExpected(into, at, this.positionOf(0), this.length);
    }
  }

  override inputInPlace(op: number): Uint8Array | undefined {
    if (op !== this.#dataOp || this.operation.kind !== "write" || !this.layout.plain) return undefined;
    return this.request.dataInPlace(this.positionOf(0), this.length);
  }

  output(): void {}

  take(): void {}

  completed(): void {
    const { io, objectNumber } = this;
    let { result } = this;
    const copyUp = this.#copyUp;
    if (this.#guarded) {
      if (result === -errno.ENOENT) io.copyUps.before(this);
      count(io.guardedWrites, objectNumber, -1);
      if (result === -errno.ENOENT) return;
    }
    // The removed object did not exist.
    if (result === -errno.ENOENT && this.mapState === objectState.pending) result = 0;
    if (result <= -maxErrno && this.operation.kind === "compareAndWrite") {
      (this.request as CompareAndWriteRequest).mismatchOffset = this.layout.imageOffset(
        objectNumber,
        this.objectOffset - maxErrno - result,
      );
      result = -errno.EILSEQ;
    }
    copyUp?.written(result, this.error);
    const map = io.objectMap;
    if (result >= 0 && map !== undefined && this.mapState === objectState.pending) {
      this.#step = "mapAfter";
      if (map.update(objectNumber, objectState.nonexistent, objectState.pending, this)) return;
    }
    this.finish(result);
  }

  protected override release(): void {
    this.#copyUp = undefined;
    this.#spares.push(this);
  }

  /**
   * Whether a write of the whole object needs no data of the parent: no snapshot needs it, nothing is compared, and no
   * guarded write is in flight, which this one would overtake if that needed a copy-up.
   */
  #hidesParent(): boolean {
    const { io, operation } = this;
    return (
      io.state.snapContext.seq === 0 &&
      operation.kind !== "compareAndWrite" &&
      !io.guardedWrites.has(this.objectNumber)
    );
  }

  #discardAction(whole: boolean, hasParent: boolean): DiscardAction {
    // A missing object would show the parent's data, so the object stays, empty.
    if (whole && !hasParent) return "remove";
    return this.objectOffset + this.length === this.layout.objectSize ? "truncate" : "zero";
  }

  #send(): void {
    const { io } = this;
    this.#step = "write";
    this.flags = requestFlag.write;
    this.snapContext = io.state.snapContext;
    this.#addOps();
    if (this.#guarded) count(io.guardedWrites, this.objectNumber, 1);
    io.objecter.submit(this);
  }

  #addOps(): void {
    const { ops, objectOffset, length, layout, io } = this;
    const { kind, request } = this.operation;
    ops.clear();
    this.#copyUpOp = this.#compareOp = this.#dataOp = -1;
    if (this.#guarded) ops.add(opCode.stat);
    if (this.#copyUp !== undefined) {
      this.#copyUpOp = ops.count;
      copyUpMethod.add(ops, this.#copyUp.data.length);
    }
    if (kind === "discard" || kind === "writeZeroes") {
      this.#addDiscard();
      return;
    }
    if (io.objectMap === undefined || !this.#mayExist) addAllocationHint(ops, io);
    if (kind === "compareAndWrite") {
      this.#compareOp = ops.count;
      ops.addExtent(opCode.compareExtent, objectOffset, length, length);
    }
    this.#dataOp = ops.count;
    if (kind === "writeSame") {
      const { patternLength } = request as WriteSameRequest;
      if (length % patternLength === 0 && this.positionOf(0) % patternLength === 0 && layout.plain) {
        const at = ops.add(opCode.writeSame, patternLength);
        ops.setU64(at, objectOffset);
        ops.setU64(at + 8, length);
        ops.setU64(at + 16, patternLength);
        return;
      }
    }
    if (request instanceof ObjectCopy) {
      request.addTo(ops);
      return;
    }
    const whole = objectOffset === 0 && length === layout.objectSize;
    ops.addExtent(whole ? opCode.writeFull : opCode.write, objectOffset, length, length);
  }

  #addDiscard(): void {
    const { ops, objectOffset, length } = this;
    if (this.#action === "remove") ops.add(opCode.delete);
    else if (this.#action === "zero") ops.addExtent(opCode.zero, objectOffset, length);
    else {
      // Without a guard the object may be missing; it is created to hide the parent's data.
      if (!this.#guarded && this.#copyUp === undefined && this.io.parentBytes(this.objectNumber) > 0) {
        ops.add(opCode.create);
      }
      ops.addExtent(opCode.truncate, objectOffset, 0);
    }
  }

  #fillData(into: Buffer, at: number): void {
    const { request } = this.operation;
    if (!(request instanceof WriteSameRequest)) {
      this.fillFromRequest(into, at, 0, this.length);
      return;
    }
    const { patternLength } = request;
    if (this.ops.code(this.#dataOp) === opCode.writeSame) {
      request.fill(into, at, 0, patternLength);
      return;
    }
    for (let position = 0; position < this.length; ) {
      const from = this.positionOf(position) % patternLength;
      const run = this.layout.run(this.objectOffset + position);
      const length = Math.min(patternLength - from, run, this.length - position);
      request.fill(into, at + position, from, length);
      position += length;
    }
  }
}

function count(counts: Map<number, number>, key: number, change: number): void {
  const now = (counts.get(key) ?? 0) + change;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}

/** Expected size of the object for the OSD's allocation hint. */
export function addAllocationHint(ops: OpList, { layout, tuning }: ExtentHost): void {
  const { hintFlags } = tuning;
  if (hintFlags === undefined) return;
  const { objectSize } = layout;
  const at = ops.add(opCode.setAllocHint);
  ops.setU64(at, objectSize);
  ops.setU64(at + 8, objectSize);
  ops.view.setUint32(at + 16, hintFlags, true);
}
