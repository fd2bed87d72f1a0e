import type { ImageState } from "../image-state.ts";
import { isThere } from "../io/copy-ups.ts";
import type { ImageIo } from "../io/image-io.ts";
import type { ObjectMap, ObjectMapOptions } from "../object-map/object-map.ts";
import type { ObjectStates } from "../object-map/object-states.ts";
import type { ImageCopy, LayerCopy, ToWorker } from "./messages.ts";
import { plainError } from "./plain-error.ts";
import { SharedObjectMap } from "./shared-object-map.ts";
import { TrackedIo } from "./tracked-io.ts";

/** A worker as the owner sees it. */
export interface Follower {
  tell(message: ToWorker): void;
  /** Resolves when it has done so, or is gone. */
  call(message: ToWorker): Promise<void>;
}

/**
 * The I/O of the thread that owns an image with workers. It forwards every change to the workers: a pause is complete
 * when no thread writes, and all threads know a change before any of them continues.
 */
export class OwnerIo extends TrackedIo {
  readonly #followers = new Set<Follower>();
  readonly #numbers = new WeakMap<ObjectStates, number>();
  #lastMap = 0;
  #parents = 0;
  #pauses = 0;
  #settling: Promise<void> | undefined;

  /** The start data of a worker, which receives every later change as a message. */
  join(follower: Follower): { copy: ImageCopy; pauses: number } {
    this.#followers.add(follower);
    return { copy: this.#copy(), pauses: this.#pauses };
  }

  leave(follower: Follower): void {
    this.#followers.delete(follower);
  }

  override async pauseWrites(): Promise<void> {
    this.#pauses++;
    await Promise.all([super.pauseWrites(), this.#callAll({ type: "pause" })]);
  }

  override resumeWrites(): Promise<void> {
    this.#pauses--;
    const resumed = this.#callAll({ type: "resume", copy: this.#copy() });
    void super.resumeWrites();
    return resumed;
  }

  override follow(state: ImageState, parent: ImageIo | undefined): Promise<void> {
    if (parent !== this.parent) this.#parents++;
    void super.follow(state, parent);
    return this.#callAll({ type: "follow", copy: this.#copy() });
  }

  override newMap(options: ObjectMapOptions): ObjectMap {
    return new SharedObjectMap(options, {
      settled: () => this.allSettled(),
      isThere: (objectNumber) => isThere(this, objectNumber),
    });
  }

  override useMap(map: ObjectMap | undefined): void {
    if (this.objectMap instanceof SharedObjectMap && this.objectMap !== map) this.objectMap.retire();
    super.useMap(map);
    void this.#callAll({ type: "follow", copy: this.#copy() });
  }

  override endAt(size: number): void {
    super.endAt(size);
    void this.#callAll({ type: "follow", copy: this.#copy() });
  }

  override setOwner(owner: boolean): void {
    super.setOwner(owner);
    for (const follower of this.#followers) follower.tell({ type: "own", owned: owner });
  }

  override failWrites(error: Error): void {
    super.failWrites(error);
    for (const follower of this.#followers) follower.tell({ type: "fail", error: plainError(error) });
  }

  /** Resolves when all earlier writes of all threads to objects are done. Callers of the same turn share the wait. */
  allSettled(): Promise<void> {
    this.#settling ??= Promise.resolve().then(async () => {
      this.#settling = undefined;
      await Promise.all([this.settled(), this.#callAll({ type: "settle" })]);
    });
    return this.#settling;
  }

  /** The image, or one of its parents, if their number is the current one. */
  layer(parents: number, depth: number): ImageIo | undefined {
    let layer: ImageIo | undefined = this;
    for (let at = 0; at < depth; at++) layer = layer?.parent;
    return depth === 0 || parents === this.#parents ? layer : undefined;
  }

  async #callAll(message: ToWorker): Promise<void> {
    await Promise.all([...this.#followers].map((follower) => follower.call(message)));
  }

  #copy(): ImageCopy {
    const { state, endsAt, objectMap } = this;
    const layers: LayerCopy[] = [];
    for (let layer = this.parent; layer !== undefined; layer = layer.parent) {
      const { state, snapId, tuning, objectMap } = layer;
      layers.push({ state, snapId, tuning, map: objectMap?.states.share() });
    }
    return { state, endsAt, map: this.#mapCopy(objectMap), parents: { number: this.#parents, layers } };
  }

  #mapCopy(map: ObjectMap | undefined): ImageCopy["map"] {
    if (map?.valid !== true) return undefined;
    const { states } = map;
    const number = this.#numbers.get(states) ?? ++this.#lastMap;
    this.#numbers.set(states, number);
    return { number, states: states.share() };
  }
}
