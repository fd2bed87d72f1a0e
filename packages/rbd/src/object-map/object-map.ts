import { type ObjectRequest, ObjectTarget } from "@siphon/rados/engine";
import { errno } from "@siphon/wire";
import { errnoOf } from "../errors.ts";
import { objectState } from "./object-state.ts";
import type { ObjectStates } from "./object-states.ts";
import { type MapChange, UpdateRequest } from "./update-request.ts";

/** Waits for the object map to record a state of an object. */
export interface MapWaiter {
  /** @param result 0, or a negative errno: then the map does not say it, and what it would deny must not be done */
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
   * The map could not be kept, and is to say nothing from now on: the image's flags must tell everybody. Until that is stored, or if
   * it rejects, nothing goes on that the map denies.
   *
   * @param snapId of a snapshot's map; undefined for the image's own
   */
  readonly onInvalid: (snapId: number | undefined) => Promise<void>;
}

/**
 * Which objects of an image are there (src/librbd/ObjectMap.cc): kept in memory by the owner of the image's lock, and told to
 * the cluster before an object comes into being and after it is gone. Updates that are asked for at the same time go
 * together where the objects follow each other; those of one object happen one after the other.
 */
export class ObjectMap {
  /** False once the map could not be kept: then everything may exist. */
  valid = true;
  readonly #options: ObjectMapOptions;
  readonly #target: ObjectTarget;
  #states: ObjectStates;
  /** Updates under way, by object, each with those that wait for it. */
  readonly #updates = new Map<number, ObjectUpdate[]>();
  /** Objects whose first update has not gone out yet. */
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

  /** After a change of the map as a whole: a resize, a snapshot, a rollback. No update may be under way that a write waits for. */
  replace(states: ObjectStates): void {
    this.#states = states;
    this.valid = true;
  }

  mayExist(objectNumber: number): boolean {
    if (!this.valid || objectNumber >= this.#states.size) return true;
    return this.#states.get(objectNumber) !== objectState.nonexistent;
  }

  /** Whether the map says that the object is there, which may be wrong only if somebody died who was to make it. */
  exists(objectNumber: number): boolean {
    if (!this.valid || objectNumber >= this.#states.size) return false;
    const state = this.#states.get(objectNumber);
    return state === objectState.exists || state === objectState.existsClean;
  }

  /** An update of the object is under way. */
  busy(objectNumber: number): boolean {
    return this.#updates.has(objectNumber);
  }

  /**
   * Sees to it that the map says `state` of an object.
   *
   * @param current only if it says this now
   * @returns false if there is nothing to do: then nobody is called
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

  /** Tells a snapshot's map, which is in nobody's memory. */
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

  /** Whether an update would change what the map says. */
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

  /** The map says nothing any more. */
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

  /** @param states of the map when the update was sent: a map that has replaced it may be older or newer than the update */
  async #updated(request: UpdateRequest, states: ObjectStates): Promise<void> {
    const { change, result } = request;
    const failure = await this.#failure(request, undefined);
    for (let objectNumber = change.first; objectNumber < change.end; objectNumber++) {
      if (result >= 0 && states === this.#states) states.set(objectNumber, change.state);
      this.#settle(objectNumber, failure);
    }
  }

  /**
   * Why what waits for an update must fail; undefined if it may go on: the map was told, or, for an error that will not pass, everybody
   * was told that it says nothing. Without an answer nothing is lost: what the map may say now, in memory or where it is stored, is that
   * more objects exist than there are, and the next update tells it again.
   */
  async #failure(request: UpdateRequest, snapId: number | undefined): Promise<Failure | undefined> {
    const { result } = request;
    if (result >= 0) return undefined;
    const error = request.error;
    // Without the lock on the map the image's lock is lost as well.
    if (result === -errno.EBUSY) return { result: -errno.ESHUTDOWN, error };
    if (passing.has(result)) return { result, error };
    try {
      await this.#options.onInvalid(snapId);
      if (snapId === undefined) this.invalidated();
      return undefined;
    } catch (reason) {
      // The write fails with the passing error, so that it may be tried again.
      const told = errnoOf(reason);
      if (passing.has(told)) return { result: told, error: reason as Error };
      return { result, error };
    }
  }

  /** The first update of the object is done: on to those that wait. */
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

/** After which the map is as good as before: no answer in time, no space, closed, on the blocklist. */
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
