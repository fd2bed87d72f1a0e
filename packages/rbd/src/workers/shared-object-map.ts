import { type MapWaiter, ObjectMap, type ObjectMapOptions } from "../object-map/object-map.ts";
import { objectState } from "../object-map/object-state.ts";
import type { ObjectStates } from "../object-map/object-states.ts";
import { updateMap } from "../object-map/update-map.ts";

/** The threads that share the map, and the OSDs of its objects. */
export interface MapSharers {
  /** Resolves when all earlier writes of all threads to objects are done. */
  settled(): Promise<void>;
  /** Whether an object exists. */
  isThere(objectNumber: number): Promise<boolean>;
}

const { nonexistent, exists, pending } = objectState;

/**
 * The object map of an image that several threads write to. All threads read its states in shared memory; only the
 * owner changes them.
 *
 * A thread writes without a request to the owner if the map says that the object exists. So a removal proceeds only
 * after the map marks the object as being removed, and all earlier writes of all threads are done. Later writes ask the
 * owner, which marks the object as existing again before the removal can mark it as absent. Afterwards the owner checks
 * whether the object exists.
 */
export class SharedObjectMap extends ObjectMap {
  readonly #sharers: MapSharers;
  /** Objects that are being checked because a write and a removal overlapped. */
  readonly #looking = new Set<number>();

  constructor(options: ObjectMapOptions, sharers: MapSharers) {
    options.states.share();
    super(options);
    this.#sharers = sharers;
  }

  override update(
    objectNumber: number,
    state: number,
    current: number | undefined,
    waiter: MapWaiter,
  ): boolean {
    if (isRemoval(state, current)) return this.#beginRemoval(objectNumber, state, current, waiter);
    if (state !== nonexistent) return super.update(objectNumber, state, current, waiter);
    const mapUpdated = (result: number, error?: Error) => {
      waiter.mapUpdated(result, error);
      this.#endRemoval(objectNumber);
    };
    if (super.update(objectNumber, state, current, { mapUpdated })) return true;
    this.#endRemoval(objectNumber);
    return false;
  }

  override replace(states: ObjectStates): void {
    if (states !== this.states) this.retire();
    states.share();
    super.replace(states);
  }

  /**
   * The map is no longer used. Threads that do not know yet ask the OSDs for every object, and do not update the map.
   */
  retire(): void {
    this.states.fill(exists);
  }

  protected override invalidated(): void {
    super.invalidated();
    this.retire();
  }

  #beginRemoval(
    objectNumber: number,
    state: number,
    current: number | undefined,
    waiter: MapWaiter,
  ): boolean {
    const mapUpdated = (result: number, error?: Error) => {
      if (result < 0) waiter.mapUpdated(result, error);
      else void this.#sharers.settled().then(() => waiter.mapUpdated(0));
    };
    if (super.update(objectNumber, state, current, { mapUpdated })) return true;
    // Another thread is removing it, too, and may not have waited for all writes.
    if (!this.valid || current !== undefined || !this.mayExist(objectNumber)) return false;
    mapUpdated(0);
    return true;
  }

  /**
   * A concurrent write marked the object as existing; it is unknown whether the OSD executed the write or the removal
   * last.
   */
  #endRemoval(objectNumber: number): void {
    if (this.#looking.has(objectNumber) || !this.exists(objectNumber)) return;
    this.#looking.add(objectNumber);
    const done = () => this.#looking.delete(objectNumber);
    // If the check fails, the state stays: a listed object that does not exist only costs a request.
    void this.#look(objectNumber).then(done, done);
  }

  async #look(objectNumber: number): Promise<void> {
    const { settled, isThere } = this.#sharers;
    await settled();
    if (await isThere(objectNumber)) return;
    if (!(await updateMap(this, objectNumber, pending, this.states.get(objectNumber)))) return;
    const state = (await isThere(objectNumber)) ? exists : nonexistent;
    await updateMap(this, objectNumber, state, pending);
  }
}

/** Whether an update marks the beginning or the end of an object's removal. */
export function isOfRemoval(state: number, current: number | undefined): boolean {
  return (state === pending && current === undefined) || (state === nonexistent && current === pending);
}

/**
 * Whether an update begins the removal of an object that other threads may be writing to, because the map listed it.
 */
function isRemoval(state: number, current: number | undefined): boolean {
  return state === pending && current !== nonexistent;
}
