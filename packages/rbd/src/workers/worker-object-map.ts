import { throwUnowned } from "@siphon/rados/engine";
import { type MapWaiter, ObjectMap, type ObjectMapOptions } from "../object-map/object-map.ts";
import type { ToOwner, UpdateAnswer } from "./messages.ts";
import { errorOf } from "./plain-error.ts";
import { isOfRemoval } from "./shared-object-map.ts";

/** The object map in a worker: reads the shared states, and requests changes from the owner. */
export class WorkerObjectMap extends ObjectMap {
  readonly number: number;
  readonly #owner: { call(message: ToOwner): Promise<unknown> };
  /** Number of unfinished updates of each object. */
  readonly #asked = new Map<number, number>();

  /** @param number distinguishes it from earlier maps of the image */
  constructor(
    options: ObjectMapOptions,
    number: number,
    owner: { call(message: ToOwner): Promise<unknown> },
  ) {
    super(options);
    this.number = number;
    this.#owner = owner;
  }

  override busy(objectNumber: number): boolean {
    return this.#asked.has(objectNumber);
  }

  override update(
    objectNumber: number,
    state: number,
    current: number | undefined,
    waiter: MapWaiter,
  ): boolean {
    const mustAsk =
      this.busy(objectNumber) ||
      this.needed(objectNumber, { state, current }) ||
      // The owner must know the beginning and end of each removal, whatever the map says.
      (this.mayExist(objectNumber) && isOfRemoval(state, current));
    if (!mustAsk) return false;
    this.#count(objectNumber, 1);
    const update = { type: "update", objectNumber, state, current, snapId: undefined } as const;
    this.#ask(update, waiter, () => this.#count(objectNumber, -1)).catch(throwUnowned);
    return true;
  }

  override updateSnapshot(snapId: number, objectNumber: number, state: number, waiter: MapWaiter): void {
    const update = { type: "update", objectNumber, state, current: undefined, snapId } as const;
    this.#ask(update, waiter, () => {}).catch(throwUnowned);
  }

  /** Without the owner's answer the map's state is unknown: the worker ends, and with it the process. */
  async #ask(update: ToOwner, waiter: MapWaiter, done: () => void): Promise<void> {
    const { result, error } = (await this.#owner.call(update)) as UpdateAnswer;
    done();
    waiter.mapUpdated(result, error && errorOf(error));
  }

  #count(objectNumber: number, change: number): void {
    const now = (this.#asked.get(objectNumber) ?? 0) + change;
    if (now === 0) this.#asked.delete(objectNumber);
    else this.#asked.set(objectNumber, now);
  }
}
