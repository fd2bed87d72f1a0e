import { type MapWaiter, ObjectMap, type ObjectMapOptions } from "../object-map/object-map.ts";
import { objectState } from "../object-map/object-state.ts";
import type { ObjectStates } from "../object-map/object-states.ts";
import { updateMap } from "../object-map/update-map.ts";

/** The threads whose image has the map, and the OSDs that its objects are at. */
export interface MapSharers {
  /** Fulfilled when the writes to objects are done that all threads had sent before. */
  settled(): Promise<void>;
  /** Whether an object is there. */
  isThere(objectNumber: number): Promise<boolean>;
}

const { nonexistent, exists, pending } = objectState;

/**
 * The object map of an image that several threads write to. Its states are in memory that all of them read; its owner alone changes them.
 *
 * A thread that finds that an object exists writes to it without asking. So who is to remove an object is let go only when the map says
 * that the object is being removed, and then all writes are done that any thread had sent before: those that come later ask the owner, and
 * the map says again that the object exists, before the removal could make it deny the object. Whether it does is looked at afterwards.
 */
export class SharedObjectMap extends ObjectMap {
  readonly #sharers: MapSharers;
  /** Objects that are looked at, since a write and a removal came together. */
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

  /** The map is not gone by any more: threads that do not know yet ask the OSDs for every object, and tell the map nothing. */
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
    // Another thread is removing it as well, and may not have waited for all.
    if (!this.valid || current !== undefined || !this.mayExist(objectNumber)) return false;
    mapUpdated(0);
    return true;
  }

  /** A write that came meanwhile had the map say that the object exists; which of the two the OSD carried out last is not known. */
  #endRemoval(objectNumber: number): void {
    if (this.#looking.has(objectNumber) || !this.exists(objectNumber)) return;
    this.#looking.add(objectNumber);
    const done = () => this.#looking.delete(objectNumber);
    // A state that cannot be read stays as it is: an object that the map has and that is not there costs a request.
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

/** Whether an update tells of the beginning, or the end, of an object's removal by a write. */
export function isOfRemoval(state: number, current: number | undefined): boolean {
  return (state === pending && current === undefined) || (state === nonexistent && current === pending);
}

/** Whether an update says that an object is about to be removed that other threads may be writing to, since the map had it. */
function isRemoval(state: number, current: number | undefined): boolean {
  return state === pending && current !== nonexistent;
}
