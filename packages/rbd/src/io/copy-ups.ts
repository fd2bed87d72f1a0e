import { RbdError } from "../errors.ts";
import { CopyUp } from "./copy-up.ts";
import type { ImageIo } from "./image-io.ts";
import type { ObjectWrite } from "./object-write.ts";

/** The copy-ups of one image that are under way, one at most for an object. */
export class CopyUps {
  readonly #io: ImageIo;
  readonly #running = new Map<number, CopyUp>();

  constructor(io: ImageIo) {
    this.#io = io;
  }

  running(objectNumber: number): CopyUp | undefined {
    return this.#running.get(objectNumber);
  }

  /** Called by the copy-up itself. */
  ended(objectNumber: number): void {
    this.#running.delete(objectNumber);
  }

  /** Carries a write out once the object has the parent's data. */
  before(write: ObjectWrite): void {
    // The image may have been flattened meanwhile.
    if (this.#io.parentBytes(write.objectNumber) === 0) write.start();
    else this.#of(write.objectNumber).join(write);
  }

  /** Without a write; nothing is done where the object is known to be there. */
  run(objectNumber: number): Promise<void> {
    const { objectMap: map } = this.#io;
    const isThere = map?.valid === true && map.mayExist(objectNumber) && !map.busy(objectNumber);
    const isDone = isThere || this.#io.parentBytes(objectNumber) === 0;
    if (isDone && !this.#running.has(objectNumber)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#of(objectNumber).whenDone((result, error) => {
        if (result < 0) reject(error ?? failed(objectNumber, result));
        else resolve();
      });
    });
  }

  #of(objectNumber: number): CopyUp {
    let copyUp = this.#running.get(objectNumber);
    if (copyUp === undefined) {
      copyUp = new CopyUp(this.#io, objectNumber);
      this.#running.set(objectNumber, copyUp);
      copyUp.start();
    }
    return copyUp;
  }
}

function failed(objectNumber: number, result: number): RbdError {
  const message = `object ${objectNumber} could not be given the parent's data (error ${-result})`;
  return new RbdError("SIPHON_RBD_INVALID", message, { errno: result });
}
