import { noSnapshots, type RadosError } from "@siphon/rados";
import { ObjectRequest, requestFlag } from "@siphon/rados/engine";
import { errno } from "@siphon/wire";
import { errnoOf } from "../errors.ts";
import { imageFeature } from "../image-state.ts";
import type { MapWaiter } from "../object-map/object-map.ts";
import { objectState } from "../object-map/object-state.ts";
import { isZeros } from "../zeros.ts";
import type { ExtentHost } from "./extent-host.ts";
import { addAllocationHint, copyUpMethod, type ObjectWrite, type SentCopyUp } from "./object-write.ts";
import { type ParentReader, readParent } from "./parent-read.ts";

/** Keeps the copy-ups of an image. */
export interface CopyUpOwner {
  /** Resolves when copy-ups may proceed; undefined: now. */
  allowed(): Promise<void> | undefined;
  /** Whether a write sent earlier may still find no object, and join. */
  awaits(objectNumber: number): boolean;
  ended(objectNumber: number): void;
}

/**
 * Copies the parent's data to an object of a clone before its first change (src/librbd/io/CopyupRequest.cc). With
 * snapshots, which also need the parent's data, the object is created as older than all of them, by a request without a
 * snapshot context; otherwise the data goes together with the first write. Other writes to the object wait.
 */
export class CopyUp implements ParentReader, MapWaiter, SentCopyUp {
  readonly #io: ExtentHost;
  readonly #owner: CopyUpOwner;
  readonly #objectNumber: number;
  /** In the order in which they came. */
  readonly #writes: ObjectWrite[] = [];
  /** Called at the end of a copy-up without a write. */
  readonly #done: ((result: number, error: Error | undefined) => void)[] = [];
  /** The parent's data, from the start of the object; empty if it is all zeros. */
  data: Buffer;
  #updates = 0;
  #result = 0;
  #error: Error | undefined;
  /** The next step after the update of the maps. */
  #next = () => {};
  /** The copy-up has no write. */
  #alone = false;
  /** The first write is in flight with the data. */
  #sentFirst = false;
  #renewals = 0;

  constructor(io: ExtentHost, owner: CopyUpOwner, objectNumber: number) {
    this.#io = io;
    this.#owner = owner;
    this.#objectNumber = objectNumber;
    this.data = Buffer.allocUnsafe(io.parentBytes(objectNumber));
  }

  start(): void {
    this.#io.counters.copyUps++;
    const read = () => readParent(this.#io, this.#objectNumber, 0, this.data.length, this);
    const allowed = this.#owner.allowed();
    if (allowed === undefined) read();
    else allowed.then(read, (error: Error) => this.#finish(errnoOf(error), error));
  }

  /**
   * Carries the write out when the object exists. A write that was sent before the copy-up began and found no object
   * may arrive after later ones to the same bytes; it is queued before them.
   */
  join(write: ObjectWrite): void {
    const writes = this.#writes;
    const first = this.#sentFirst ? 1 : 0;
    let at = writes.length;
    while (at > first && writes[at - 1]!.number > write.number) at--;
    writes.splice(at, 0, write);
  }

  whenDone(done: (result: number, error: Error | undefined) => void): void {
    this.#done.push(done);
  }

  takeFromParent(bytes: Buffer, start: number, end: number, position: number): void {
    bytes.copy(this.data, position, start, end);
  }

  zerosFromParent(position: number, length: number): void {
    this.data.fill(0, position, position + length);
  }

  parentRead(result: number, error: Error | undefined): void {
    const { renew } = this.#io;
    if (result === -errno.ESTALE && renew !== undefined && this.#renewals++ < mostRenewals) {
      renew().then(
        () => this.#again(),
        (reason: Error) => this.#finish(errnoOf(reason), reason),
      );
      return;
    }
    if (result < 0) {
      this.#finish(result, error);
      return;
    }
    if (isZeros(this.data)) this.data = this.data.subarray(0, 0);
    else this.#io.parentView?.seal(this.#io, this.#objectNumber, this.data);
    if (this.data.length === 0 && this.#writes.length === 0) {
      this.#finish(0, undefined);
      return;
    }
    this.#alone = this.#writes.length === 0;
    this.#told(
      () => {
        this.#tellSnapshots();
        if (this.#alone) this.#tellHead(objectState.pending, objectState.nonexistent);
        else this.#tellHead(this.#writes[0]!.mapState, undefined);
      },
      () => this.#send(),
    );
  }

  mapUpdated(result: number, error?: Error): void {
    if (result < 0 && this.#result === 0) [this.#result, this.#error] = [result, error];
    if (--this.#updates > 0) return;
    if (this.#result < 0) this.#finish(this.#result, this.#error);
    else this.#next();
  }

  /** The first write has completed together with the data. */
  written(result: number, error: Error | undefined): void {
    this.#writes.shift();
    this.#finish(result, error, false);
  }

  /** The parents were reopened: there may be none any more. */
  #again(): void {
    this.data = Buffer.allocUnsafe(this.#io.parentBytes(this.#objectNumber));
    if (this.data.length === 0) this.#finish(0, undefined);
    else readParent(this.#io, this.#objectNumber, 0, this.data.length, this);
  }

  #told(tell: () => void, next: () => void): void {
    this.#next = next;
    this.#updates = 1;
    tell();
    this.mapUpdated(0);
  }

  /**
   * Updates the snapshots' maps: they have the object from now on, because it has the parent's data; for the oldest it
   * counts as changed. This comes before the object exists, because a later flatten finds the object and does not
   * update these maps.
   */
  #tellSnapshots(): void {
    const { objectMap, state } = this.#io;
    if (objectMap === undefined || this.data.length === 0) return;
    const { snaps } = state.snapContext;
    for (const [index, snapId] of snaps.entries()) {
      const size = state.snapshots.get(snapId)?.size ?? 0;
      if (this.#objectNumber >= this.#io.layout.objectCount(size)) continue;
      const clean = this.#fastDiff && index + 1 < snaps.length;
      this.#updates++;
      objectMap.updateSnapshot(
        snapId,
        this.#objectNumber,
        clean ? objectState.existsClean : objectState.exists,
        this,
      );
    }
  }

  /** @param current update only from this state */
  #tellHead(state: number, current: number | undefined): void {
    if (this.#io.objectMap?.update(this.#objectNumber, state, current, this)) this.#updates++;
  }

  /**
   * Without a write, the image's own map says "may exist" until the object exists, and "exists" then. If this client
   * died, a map ahead of the data would lose data, because librbd flattens by the map alone; a map that misses the
   * object would leave it behind at a removal. The snapshots' maps may be ahead: without the object the parent is read
   * anyway.
   */
  #copied(): void {
    const clean = this.#fastDiff && this.#io.state.snapContext.snaps.length > 0;
    const state = clean ? objectState.existsClean : objectState.exists;
    this.#told(
      () => this.#tellHead(state, objectState.pending),
      () => this.#finish(0, undefined),
    );
  }

  get #fastDiff(): boolean {
    return (this.#io.state.features & imageFeature.fastDiff) !== 0;
  }

  #send(): void {
    const { snapContext } = this.#io.state;
    const first = this.#alone ? undefined : this.#writes[0];
    const deep = this.data.length > 0 && snapContext.snaps.length > 0;
    const isFirst = first?.goesWithCopyUp === true && !this.#owner.awaits(this.#objectNumber);
    if (isFirst && !deep) {
      this.#sentFirst = true;
      first.sendWith(this);
      return;
    }
    const context = deep || first === undefined ? noSnapshots : snapContext;
    const request = new CopyUpRequest(this.#io, this.#objectNumber, this.data, (result, error) => {
      if (this.#alone && result >= 0) this.#copied();
      else this.#finish(result, error);
    });
    request.snapContext = context;
    this.#io.objecter.submit(request);
  }

  /** @param forAll a failure also fails the waiting writes; otherwise each one tries itself */
  #finish(result: number, error: Error | undefined, forAll = true): void {
    this.#owner.ended(this.#objectNumber);
    for (const done of this.#done) done(result, error);
    for (const write of this.#writes) {
      if (result < 0 && forAll) write.fail(result, error);
      else write.start();
    }
  }
}

/** Creates the object with the parent's data, unless it exists. */
class CopyUpRequest extends ObjectRequest {
  readonly #data: Buffer;
  readonly #done: (result: number, error: RadosError | undefined) => void;

  constructor(
    io: ExtentHost,
    objectNumber: number,
    data: Buffer,
    done: (result: number, error: RadosError | undefined) => void,
  ) {
    super();
    this.#data = data;
    this.#done = done;
    this.target = io.targets.get(objectNumber);
    this.flags = requestFlag.write;
    copyUpMethod.add(this.ops, data.length);
    addAllocationHint(this.ops, io);
  }

  fill(_op: number, into: Buffer, at: number): void {
    copyUpMethod.fill(into, at, this.#data);
  }

  output(): void {}

  take(): void {}

  completed(): void {
    this.#done(this.result, this.error);
  }
}

const mostRenewals = 10;
