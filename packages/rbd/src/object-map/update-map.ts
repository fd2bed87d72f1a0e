import { errno } from "@siphon/wire";
import { RbdError } from "../errors.ts";
import type { ObjectMap } from "./object-map.ts";

/**
 * Sets the state of an object in an object map, and waits until it is stored.
 *
 * @param current only from this state
 * @returns false if there was nothing to do
 */
export function updateMap(
  objectMap: ObjectMap,
  objectNumber: number,
  state: number,
  current: number | undefined,
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const mapUpdated = (result: number, error?: Error) => {
    if (result < 0) reject(error ?? failed(result));
    else resolve(true);
  };
  if (!objectMap.update(objectNumber, state, current, { mapUpdated })) resolve(false);
  return promise;
}

function failed(result: number): RbdError {
  if (result === -errno.ESHUTDOWN)
    return new RbdError("SIPHON_RBD_FENCED", "the lock on the object map was lost");
  return new RbdError("SIPHON_RBD_INVALID", `cannot update the object map (error ${-result})`, {
    errno: result,
  });
}
