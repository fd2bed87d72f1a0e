import { NO_SNAP } from "@siphon/rados";
import type { ObjectRequest } from "@siphon/rados/engine";
import { errno } from "@siphon/wire";
import type { ImageState } from "../image-state.ts";
import { ObjectMap, type ObjectMapOptions } from "../object-map/object-map.ts";
import { ObjectExtents } from "../striping/extents.ts";
import { Layout } from "../striping/layout.ts";
import { Admission, defaultLimits, type IoLimits } from "./admission.ts";
import { CopyUps } from "./copy-ups.ts";
import type { ParentView } from "./image-layer.ts";
import {
  type CompareAndWriteRequest,
  type ImageRequest,
  tellCompleted,
  type WriteSameRequest,
} from "./image-request.ts";
import { defaultTuning, type IoTuning } from "./io-tuning.ts";
import { ObjectRead } from "./object-read.ts";
import { ObjectWrite } from "./object-write.ts";
import { Operation, type OperationKind } from "./operation.ts";
import type { Presence } from "./presence.ts";
import { createLatencies, IoCounters, type Latencies } from "./statistics.ts";
import { Targets } from "./targets.ts";
import { checkWrite, clipRequest } from "./valid-request.ts";
import { WriteEpochs } from "./write-epochs.ts";
import { WriteGate } from "./write-gate.ts";

export interface ImageIoOptions {
  readonly objecter: { submit(request: ObjectRequest): void };
  readonly state: ImageState;
  /** The snapshot to read; undefined: the current image. */
  readonly snapId?: number;
  /** Writes fail with EROFS; always so with a snapshot. */
  readonly readOnly?: boolean;
  /**
   * Acquires the image's lock; called before the first write, and the first one after `setOwner(false)`, never
   * concurrently. If it fails, the waiting writes fail. Undefined for an image without a lock.
   */
  readonly ensureOwner?: () => Promise<void>;
  /**
   * Set if the image can be removed without notification: confirms that it still exists before "no object" is believed.
   */
  readonly presence?: Presence;
  /** Reopens the parents when one was found to be gone; undefined: the read fails. */
  readonly renew?: () => Promise<void>;
  readonly limits?: IoLimits;
  readonly tuning?: Partial<IoTuning>;
}

/**
 * The reads and writes of one image (src/librbd/io): splits requests into extents of objects, sends them to the
 * objecter at once, and assembles the results. It takes no lock and reads no header: the opener of the image does, and
 * sets `state`, `parent` and `objectMap` as they change, with writes paused if the change affects them.
 *
 * Concurrent writes to the same object are carried out in order of arrival. A completed write is durable; a flush waits
 * for the writes begun before it.
 */
export class ImageIo {
  readonly objecter: { submit(request: ObjectRequest): void };
  readonly layout: Layout;
  /** @internal */
  readonly targets: Targets;
  readonly snapId: number;
  readonly readOnly: boolean;
  readonly presence: Presence | undefined;
  readonly tuning: IoTuning;
  readonly renew: (() => Promise<void>) | undefined;
  readonly counters = new IoCounters();
  readonly latencies: Latencies = createLatencies();
  /** Incremented whenever others may have changed the image: with a new header, or when the lock was released. */
  generation = 0;
  /** Called with each request that changed the image, or tried to, before it completes. */
  onChanged: ((request: ImageRequest) => void) | undefined;
  /** The image that `state.parent` names, at its snapshot. */
  parent: ImageIo | undefined;
  /** Undefined: the parent's bytes are used unchanged. */
  parentView: ParentView | undefined;
  /** Rejects if copying the parent's bytes is not allowed (encryption); called once, before the first copy-up. */
  beforeCopyUps: (() => Promise<void>) | undefined;
  /**
   * Object map of the state that is read: the image's own only while its lock is held, a snapshot's at any time.
   *
   * @internal
   */
  objectMap: ObjectMap | undefined;
  /** The future size of an image that is being shrunk: data beyond it is being removed. */
  endsAt = Number.POSITIVE_INFINITY;
  /** `performance.now()` from which the next read or write calls `onDue`, which sets a later time. */
  readonly due = { read: Number.POSITIVE_INFINITY, write: Number.POSITIVE_INFINITY };
  onDue: (what: "read" | "write") => void = () => {};
  /** @internal */
  readonly copyUps: CopyUps = new CopyUps(this);
  /** Writes to an object in flight that may still find that it needs a copy-up. */
  readonly guardedWrites = new Map<number, number>();
  lastWrite = 0;
  /** Unused extent objects. */
  readonly #reads: ObjectRead[] = [];
  readonly #writes: ObjectWrite[] = [];
  #state: ImageState;
  readonly #operations: Operation[] = [];
  readonly #extents = new ObjectExtents();
  readonly #admission: Admission;
  readonly #gate: WriteGate;
  /** Writes since their call, for flushes; and since they were sent, for pauses. */
  readonly #asked = new WriteEpochs();
  readonly #running = new WriteEpochs();
  /** Completed within the call that started them: reported after it returns. */
  #early: Operation[] = [];
  readonly #tellEarly = () => {
    const early = this.#early;
    this.#early = [];
    for (const operation of early) this.#complete(operation);
  };

  constructor(options: ImageIoOptions) {
    const { objecter, state, snapId = NO_SNAP, ensureOwner, limits = defaultLimits } = options;
    this.objecter = objecter;
    this.#state = state;
    this.snapId = snapId;
    this.readOnly = (options.readOnly ?? false) || snapId !== NO_SNAP;
    this.presence = options.presence;
    this.renew = options.renew;
    this.layout = new Layout(state);
    this.targets = new Targets(state.dataPoolId, state.namespace, state.objectPrefix);
    this.tuning = { ...defaultTuning, ...options.tuning };
    this.#gate = new WriteGate((operation) => this.#startWrite(operation), ensureOwner);
    this.#admission = new Admission(limits, (operation) => {
      if (operation.kind === "read") this.#startRead(operation);
      else this.#gate.pass(operation);
    });
  }

  /** The content of the header; replaced after a change. */
  get state(): ImageState {
    return this.#state;
  }

  set state(state: ImageState) {
    this.#state = state;
    this.generation++;
  }

  /** `generation` changes whenever other code changes the values read here. */
  get isExclusive(): boolean {
    return this.snapId !== NO_SNAP || (!this.readOnly && this.#gate.owner);
  }

  /** Whether a write would wait, for the lock or for the end of a pause. */
  get holdsWrites(): boolean {
    return !this.#gate.open;
  }

  /** In bytes; the snapshot's if one is open. */
  get size(): number {
    if (this.snapId === NO_SNAP) return Math.min(this.state.size, this.endsAt);
    return this.state.snapshots.get(this.snapId)?.size ?? 0;
  }

  /**
   * Uses this header from now on.
   *
   * @internal
   */
  follow(state: ImageState, parent: ImageIo | undefined): void | Promise<void> {
    this.parent = parent;
    this.state = state;
  }

  /**
   * Uses this object map from now on, or none.
   *
   * @internal
   */
  useMap(map: ObjectMap | undefined): void {
    this.objectMap = map;
  }

  /**
   * Creates a map of this image's objects.
   *
   * @internal
   */
  newMap(options: ObjectMapOptions): ObjectMap {
    return new ObjectMap(options);
  }

  /** Forbids I/O beyond `size`, whatever the header says. */
  endAt(size: number): void {
    this.endsAt = size;
    this.generation++;
  }

  /** Bytes of a missing object, from its start, that come from the parent. */
  parentBytes(objectNumber: number): number {
    const { parent } = this;
    if (parent === undefined) return 0;
    const { state, snapId } = this;
    const link = snapId === NO_SNAP ? state.parent : state.snapshots.get(snapId)?.parent;
    if (link === undefined) return 0;
    const shown = this.parentView?.bytes(this, parent) ?? parent.size;
    return this.layout.bytesOf(objectNumber, Math.min(link.overlap, shown));
  }

  read(request: ImageRequest): void {
    this.#enter("read", request);
  }

  write(request: ImageRequest): void {
    this.#enter("write", request);
  }

  /**
   * Discards a range: it reads as zeros afterwards; parts that do not fill units of the granularity keep their data.
   */
  discard(request: ImageRequest): void {
    this.#enter("discard", request);
  }

  writeZeroes(request: ImageRequest): void {
    this.#enter("writeZeroes", request);
  }

  writeSame(request: WriteSameRequest): void {
    this.#enter("writeSame", request);
  }

  /** Within one aligned sector of 512 bytes; -EILSEQ if the bytes differ. */
  compareAndWrite(request: CompareAndWriteRequest): void {
    this.#enter("compareAndWrite", request);
  }

  /** Completes when all earlier writes are durable. */
  flush(request: ImageRequest): void {
    const operation = this.#begin("flush", request);
    operation.pending = 1;
    operation.starting = true;
    this.#asked.whenDone(() => this.settle(operation));
    operation.starting = false;
  }

  /** Stops new writes; resolves when those in flight are done. Pauses nest. */
  pauseWrites(): Promise<void> {
    this.#gate.pause();
    return new Promise((resolve) => this.#running.whenDone(resolve));
  }

  resumeWrites(): void | Promise<void> {
    this.#gate.resume();
  }

  /** @param owner false: this client lost the lock, and requests it before the next write */
  setOwner(owner: boolean): void {
    this.#gate.setOwner(owner);
    if (!owner) this.generation++;
  }

  /**
   * Acknowledges no more writes, whatever the cluster answers: this client is on the blocklist, or the image is closed.
   */
  failWrites(error: Error): void {
    this.#gate.closeForGood(error);
  }

  /**
   * Copies the parent's data to an object, unless the object exists or the data is all zeros. Flattening does this for
   * all objects.
   *
   * @throws the cluster's error
   */
  copyUp(objectNumber: number): Promise<void> {
    return this.copyUps.run(objectNumber);
  }

  /**
   * Reports that one of the request's extents is done.
   *
   * @internal
   */
  settle(operation: Operation): void {
    if (--operation.pending > 0) return;
    if (operation.starting) this.#tellLater(operation);
    else this.#complete(operation);
  }

  /**
   * @internal
   * @param spares the pool of unused objects
   */
  protected newWrite(spares: ObjectWrite[]): ObjectWrite {
    return new ObjectWrite(this, spares);
  }

  #enter(kind: OperationKind, request: ImageRequest): void {
    const operation = this.#begin(kind, request);
    operation.bytes = request.length;
    if (kind !== "read") operation.epoch = this.#asked.begin();
    this.#admission.add(operation);
  }

  #begin(kind: OperationKind, request: ImageRequest): Operation {
    const operation = this.#operations.pop() ?? new Operation();
    operation.kind = kind;
    operation.request = request;
    operation.result = 0;
    operation.error = undefined;
    operation.epoch = undefined;
    operation.bytes = 0;
    operation.running = undefined;
    operation.begun = performance.now();
    return operation;
  }

  #startRead(operation: Operation): void {
    const { request } = operation;
    operation.pending = 1;
    operation.starting = true;
    if (clipRequest(operation, this.size)) {
      if (operation.begun >= this.due.read) this.onDue("read");
      const extents = this.#extents;
      extents.start(this.layout, request.offset, request.length);
      while (extents.next()) {
        operation.pending++;
        (this.#reads.pop() ?? new ObjectRead(this, this.#reads)).begin(operation, extents);
      }
    }
    this.settle(operation);
    operation.starting = false;
  }

  #startWrite(operation: Operation): void {
    const { request, kind } = operation;
    operation.pending = 1;
    operation.starting = true;
    if (this.readOnly) operation.fail(-errno.EROFS);
    else if (this.#gate.failure !== undefined) operation.fail(-errno.ESHUTDOWN, this.#gate.failure);
    if (operation.result === 0 && clipRequest(operation, this.size) && checkWrite(operation, this.layout)) {
      operation.running = this.#running.begin();
      if (operation.begun >= this.due.write) this.onDue("write");
      const extents = this.#extents;
      const granularity = kind === "discard" ? this.tuning.discardGranularity : 0;
      extents.start(this.layout, request.offset, request.length);
      while (extents.next()) {
        operation.pending++;
        const write = this.#writes.pop() ?? this.newWrite(this.#writes);
        if (granularity > 0) write.beginDiscard(operation, extents, granularity);
        else write.begin(operation, extents);
      }
    }
    this.settle(operation);
    operation.starting = false;
  }

  #tellLater(operation: Operation): void {
    if (this.#early.push(operation) === 1) setImmediate(this.#tellEarly);
  }

  #complete(operation: Operation): void {
    const { request, kind, epoch, running } = operation;
    const { counters } = this;
    if (kind !== "read" && this.#gate.failure !== undefined) {
      operation.fail(-errno.ESHUTDOWN, this.#gate.failure);
    }
    const { result } = operation;
    request.result = result;
    request.error = operation.error;
    counters.requests[kind]++;
    if (result < 0) counters.failed++;
    else if (kind === "read") counters.readBytes += request.length;
    else if (kind !== "flush") counters.writtenBytes += request.length;
    this.latencies[kind].record(Math.max(1, Math.round((performance.now() - operation.begun) * 1e6)));
    this.#operations.push(operation);
    if (kind !== "flush") this.#admission.done(operation);
    if (epoch !== undefined) this.onChanged?.(request);
    tellCompleted(request);
    if (running !== undefined) this.#running.end(running);
    if (epoch !== undefined) this.#asked.end(epoch);
  }
}
