import { type ObjectRequest, ObjectTarget } from "@siphon/rados/engine";
import { errno } from "@siphon/wire";
import { errnoOf } from "../errors.ts";
import { objectState } from "./object-state.ts";
import type { ObjectStates } from "./object-states.ts";
import { type MapChange, UpdateRequest } from "./update-request.ts";

/** Waits until the object map records an object's state. */
export interface MapWaiter {
  /**
   * @param result 0, or a negative errno: then the map is unchanged, and the operation that needs the change must not
   * happen
   */
  mapUpdated(result: number, error?: Error): void;
}

export interface ObjectMapOptions {
  readonly objecter: { submit(request: ObjectRequest): void };
  /** Pool of the image's header. */
  readonly poolId: number;
  readonly namespace: string;
  readonly imageId: string;
  readonly states: ObjectStates;
  /**
   * The map could not be updated and is no longer used: the image's flags must mark it invalid for all clients. Until
   * that is stored, or if it rejects, no operation that contradicts the map proceeds.
   *
   * @param snapId for a snapshot's map; undefined for the image's own
   */
  readonly onInvalid: (snapId: number | undefined) => Promise<void>;
}

/**
 * The map of an image's existing objects (src/librbd/ObjectMap.cc). The owner of the image's lock keeps it in memory,
 * and updates the stored map before an object is created and after it is removed. Concurrent updates of adjacent
 * objects are merged; updates of one object are serialized.
 */
export class ObjectMap {
  /** False after a failed update: then every object may exist. */
  valid = true;
  readonly #options: ObjectMapOptions;
  readonly #target: ObjectTarget;
  #states: ObjectStates;
  /** Updates in flight, by object, each with its waiters. */
  readonly #updates = new Map<number, ObjectUpdate[]>();
  /** Objects whose first update is not sent yet. */
  #fresh: number[] = [];
  readonly #sendFresh = () => this.#send();

  constructor(options: ObjectMapOptions) {
    this.#options = options;
    this.#states = options.states;
    this.#target = new ObjectTarget(options.poolId, objectMapName(options.imageId), options);
  }

  get states(): ObjectStates {
    return this.#states;
  }

  /** Replaces the map after a resize, a snapshot or a rollback. No update for a write may be in flight. */
  replace(states: ObjectStates): void {
    this.#states = states;
    this.valid = true;
  }

  mayExist(objectNumber: number): boolean {
    if (!this.valid || objectNumber >= this.#states.size) return true;
    return this.#states.get(objectNumber) !== objectState.nonexistent;
  }

  /** Whether the map says that the object exists. This is wrong only if the client that was about to create it died. */
  exists(objectNumber: number): boolean {
    if (!this.valid || objectNumber >= this.#states.size) return false;
    const state = this.#states.get(objectNumber);
    return state === objectState.exists || state === objectState.existsClean;
  }

  /** Whether an update of the object is in flight. */
  busy(objectNumber: number): boolean {
    return this.#updates.has(objectNumber);
  }

  /**
   * Sets the state of an object in the map.
   *
   * @param current only from this state @returns false if there is nothing to do: then the callback is not called
   */
  update(objectNumber: number, state: number, current: number | undefined, waiter: MapWaiter): boolean {
    if (!this.valid) return false;
    const update = { state, current, waiter };
    const queue = this.#updates.get(objectNumber);
    if (queue !== undefined) {
      queue.push(update);
      return true;
    }
    if (!this.needed(objectNumber, update)) return false;
    this.#updates.set(objectNumber, [update]);
    this.#enqueue(objectNumber);
    return true;
  }

  /** Updates a snapshot's map, which is only stored, not in memory. */
  updateSnapshot(snapId: number, objectNumber: number, state: number, waiter: MapWaiter): void {
    const { objecter, poolId, namespace, imageId } = this.#options;
    const target = new ObjectTarget(poolId, objectMapName(imageId, snapId), { namespace });
    const change = { first: objectNumber, end: objectNumber + 1, state, current: undefined };
    const update = new UpdateRequest(target, change, false, async (request) => {
      const failure = await this.#failure(request, snapId);
      waiter.mapUpdated(failure?.result ?? 0, failure?.error);
    });
    objecter.submit(update);
  }

  /** Whether an update would change the map. */
  protected needed(
    objectNumber: number,
    { state, current }: { readonly state: number; readonly current: number | undefined },
  ): boolean {
    if (!this.valid || objectNumber >= this.#states.size) return false;
    const known = this.#states.get(objectNumber);
    if (current !== undefined && current !== known) return false;
    if (state === objectState.pending && known !== current && known === objectState.nonexistent) return false;
    if (state === objectState.nonexistent && known !== objectState.pending) return false;
    return known !== state;
  }

  /** Stops using the map. */
  protected invalidated(): void {
    this.valid = false;
  }

  #enqueue(objectNumber: number): void {
    if (this.#fresh.push(objectNumber) === 1) queueMicrotask(this.#sendFresh);
  }

  #send(): void {
    const objects = this.#fresh.sort((a, b) => a - b);
    this.#fresh = [];
    let change: { first: number; end: number; state: number; current: number | undefined } | undefined;
    for (const objectNumber of objects) {
      const { state, current } = this.#updates.get(objectNumber)![0]!;
      if (change?.end === objectNumber && change.state === state && change.current === current) {
        change.end++;
        continue;
      }
      if (change !== undefined) this.#submit(change);
      change = { first: objectNumber, end: objectNumber + 1, state, current };
    }
    if (change !== undefined) this.#submit(change);
  }

  #submit(change: MapChange): void {
    const states = this.#states;
    this.#options.objecter.submit(
      new UpdateRequest(this.#target, change, true, (request) => void this.#updated(request, states)),
    );
  }

  /**
   * @param states the map's states when the update was sent: a map that replaced them may be older or newer than the
   * update
   */
  async #updated(request: UpdateRequest, states: ObjectStates): Promise<void> {
    const { change, result } = request;
    const failure = await this.#failure(request, undefined);
    for (let objectNumber = change.first; objectNumber < change.end; objectNumber++) {
      if (result >= 0 && states === this.#states) states.set(objectNumber, change.state);
      this.#settle(objectNumber, failure);
    }
  }

  /**
   * Why the waiters of an update must fail; undefined if they may proceed: the map was updated, or, after a permanent
   * error, marked invalid for all clients. A missing answer loses nothing: the map in memory or in the cluster may list
   * more objects than exist, and the next update repeats it.
   */
  async #failure(request: UpdateRequest, snapId: number | undefined): Promise<Failure | undefined> {
    const { result } = request;
    if (result >= 0) return undefined;
    const error = request.error;
    // If the map's lock is lost, so is the image's lock.
    if (result === -errno.EBUSY) return { result: -errno.ESHUTDOWN, error };
    if (passing.has(result)) return { result, error };
    try {
      await this.#options.onInvalid(snapId);
      if (snapId === undefined) this.invalidated();
      return undefined;
    } catch (reason) {
      // The write fails with the temporary error, so that it can be retried.
      const told = errnoOf(reason);
      if (passing.has(told)) return { result: told, error: reason as Error };
      return { result, error };
    }
  }

  /** The first update of the object is done: starts the waiting ones. */
  #settle(objectNumber: number, failure: Failure | undefined): void {
    const queue = this.#updates.get(objectNumber)!;
    const ready = [queue.shift()!];
    while (queue.length > 0 && (failure !== undefined || !this.needed(objectNumber, queue[0]!)))
      ready.push(queue.shift()!);
    if (queue.length > 0) this.#enqueue(objectNumber);
    else this.#updates.delete(objectNumber);
    for (const { waiter } of ready) waiter.mapUpdated(failure?.result ?? 0, failure?.error);
  }
}

interface Failure {
  readonly result: number;
  readonly error: Error | undefined;
}

/** Errors after which the map stays valid: no answer in time, no space, closed, on the blocklist. */
const passing: ReadonlySet<number> = new Set([
  ...[-errno.ETIMEDOUT, -errno.ENOSPC, -errno.EDQUOT, -errno.ESHUTDOWN, -errno.ECANCELED],
]);

interface ObjectUpdate {
  readonly state: number;
  readonly current: number | undefined;
  readonly waiter: MapWaiter;
}

/** @param snapId for the map of a snapshot */
export function objectMapName(imageId: string, snapId?: number): string {
  const suffix = snapId === undefined ? "" : `.${snapId.toString(16).padStart(16, "0")}`;
  return `rbd_object_map.${imageId}${suffix}`;
}
