import { type Pool, WriteOperation } from "@siphon/rados";
import type { ClassCall } from "../cls/class-call.ts";
import { assertLocked, breakLock, getLockInfo, lock, unlock } from "../cls/lock.ts";
import {
  loadObjectMap,
  resizeObjectMap,
  saveObjectMap,
  snapAddObjectMap,
  snapRemoveObjectMap,
} from "../cls/object-map.ts";
import { ask, changeAll } from "../cls/run.ts";
import { hasCode } from "../errors.ts";
import { objectMapName } from "./object-map.ts";
import { objectState } from "./object-state.ts";
import type { ObjectStates } from "./object-states.ts";
import { mapLock } from "./update-request.ts";

/**
 * Changes of an image's stored maps as a whole (src/librbd/object_map). All but changes of the lock need the lock;
 * replace the map in memory afterwards.
 */
export class StoredObjectMaps {
  readonly #pool: Pool;
  readonly #imageId: string;

  /** @param pool of the image's header */
  constructor(pool: Pool, imageId: string) {
    this.#pool = pool;
    this.#imageId = imageId;
  }

  /** Takes the lock, breaking another client's: only the owner of the image's lock may call this. */
  async lock(): Promise<void> {
    const object = objectMapName(this.#imageId);
    for (;;) {
      try {
        await changeAll(this.#pool, object, [lock(mapLock)]);
        return;
      } catch (error) {
        if (hasCode(error, "EEXIST")) return;
        if (!hasCode(error, "EBUSY")) throw error;
      }
      const { lockers } = await ask(this.#pool, object, getLockInfo(mapLock.name));
      for (const locker of lockers) {
        await ignoring("ENOENT", changeAll(this.#pool, object, [breakLock(mapLock.name, locker)]));
      }
    }
  }

  async unlock(): Promise<void> {
    await ignoring("ENOENT", this.#change(undefined, [unlock(mapLock.name, mapLock.cookie)]));
  }

  /** @param snapId for the map of a snapshot */
  load(snapId?: number): Promise<ObjectStates> {
    return ask(this.#pool, objectMapName(this.#imageId, snapId), loadObjectMap);
  }

  /** Creates an empty map for a new image, or for an image without a map and its snapshots. */
  create(objects: number, snapId?: number): Promise<void> {
    return this.#change(snapId, [resizeObjectMap(objects, objectState.nonexistent)]);
  }

  save(states: ObjectStates, snapId?: number): Promise<void> {
    return this.#change(snapId, [saveObjectMap(states)]);
  }

  /** Replaces the map of the current image. */
  replace(states: ObjectStates): Promise<void> {
    return this.#change(undefined, [assertLocked(mapLock), saveObjectMap(states)]);
  }

  /** Added objects do not exist. */
  resize(objects: number): Promise<void> {
    return this.#change(undefined, [
      assertLocked(mapLock),
      resizeObjectMap(objects, objectState.nonexistent),
    ]);
  }

  /**
   * Copies the current map for a new snapshot; with fast-diff, the image's objects become clean.
   *
   * @returns what the image's map says now
   */
  async addSnapshot(snapId: number, states: ObjectStates, fastDiff: boolean): Promise<ObjectStates> {
    await this.save(states, snapId);
    if (!fastDiff) return states;
    await this.#change(undefined, [assertLocked(mapLock), snapAddObjectMap]);
    return this.load();
  }

  /**
   * Removes the map of a snapshot. With fast-diff, its changes count as changes of the next snapshot or the image.
   *
   * @param next the next snapshot; undefined for the current image
   */
  async removeSnapshot(snapId: number, next: number | undefined, fastDiff: boolean): Promise<void> {
    if (fastDiff) {
      const removed = await this.load(snapId);
      const guard = next === undefined ? [assertLocked(mapLock)] : [];
      await this.#change(next, [...guard, snapRemoveObjectMap(removed)]);
    }
    await this.remove(snapId);
  }

  /**
   * Copies a snapshot's map to the image, after a rollback to it.
   *
   * @returns what the image's map says now
   */
  async rollBack(snapId: number): Promise<ObjectStates> {
    const states = await this.load(snapId);
    // Every object may differ from the newest snapshot.
    for (let objectNumber = 0; objectNumber < states.size; objectNumber++) {
      if (states.get(objectNumber) === objectState.existsClean) states.set(objectNumber, objectState.exists);
    }
    await this.replace(states);
    return states;
  }

  /** @param snapId for the map of a snapshot */
  async remove(snapId?: number): Promise<void> {
    const object = objectMapName(this.#imageId, snapId);
    await ignoring("ENOENT", this.#pool.operate(object, new WriteOperation().remove()));
  }

  #change(snapId: number | undefined, calls: readonly ClassCall[]): Promise<void> {
    return changeAll(this.#pool, objectMapName(this.#imageId, snapId), calls);
  }
}

async function ignoring(code: string, done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!hasCode(error, code)) throw error;
  }
}
