import { ObjectRequest, type ObjectTarget, opCode, requestFlag } from "@siphon/rados/engine";
import { errno } from "@siphon/wire";
import { requestFailure } from "../errors.ts";
import { CopyUp, type CopyUpOwner } from "./copy-up.ts";
import type { ExtentHost } from "./extent-host.ts";
import type { ObjectWrite } from "./object-write.ts";

export interface CopyUpsHost extends ExtentHost {
  /** Rejects if copying the parent's bytes is not allowed (encryption); called once, before the first copy-up. */
  readonly beforeCopyUps: (() => Promise<void>) | undefined;
  /** By object: writes in flight that may still find no object. */
  readonly guardedWrites: ReadonlyMap<number, number>;
}

/** The running copy-ups of one image, at most one per object. */
export class CopyUps implements CopyUpOwner {
  readonly #io: CopyUpsHost;
  readonly #running = new Map<number, CopyUp>();
  #allowed = false;

  constructor(io: CopyUpsHost) {
    this.#io = io;
  }

  running(objectNumber: number): CopyUp | undefined {
    return this.#running.get(objectNumber);
  }

  /** Resolves when copy-ups may proceed; undefined: now. */
  allowed(): Promise<void> | undefined {
    const { beforeCopyUps } = this.#io;
    if (this.#allowed || beforeCopyUps === undefined) return undefined;
    return beforeCopyUps().then(() => {
      this.#allowed = true;
    });
  }

  awaits(objectNumber: number): boolean {
    return this.#io.guardedWrites.has(objectNumber);
  }

  /** Called by the copy-up itself. */
  ended(objectNumber: number): void {
    this.#running.delete(objectNumber);
  }

  /** Carries a write out when the object has the parent's data. */
  before(write: ObjectWrite): void {
    // The image may have been flattened meanwhile.
    if (this.#io.parentBytes(write.objectNumber) === 0) write.start();
    else this.#of(write.objectNumber).join(write);
  }

  /**
   * A copy-up without a write. If the map has the object, it is checked instead of copied: maps are updated before
   * objects are written, so the map alone is no proof.
   */
  async run(objectNumber: number): Promise<void> {
    const map = this.#io.objectMap;
    if (!this.#running.has(objectNumber)) {
      if (this.#io.parentBytes(objectNumber) === 0) return;
      if (map?.valid === true && map.exists(objectNumber) && (await isThere(this.#io, objectNumber))) return;
    }
    const done = Promise.withResolvers<void>();
    this.#of(objectNumber).whenDone((result, error) => {
      if (result < 0) done.reject(error ?? failed(objectNumber, result));
      else done.resolve();
    });
    await done.promise;
  }

  #of(objectNumber: number): CopyUp {
    let copyUp = this.#running.get(objectNumber);
    if (copyUp === undefined) {
      copyUp = new CopyUp(this.#io, this, objectNumber);
      this.#running.set(objectNumber, copyUp);
      copyUp.start();
    }
    return copyUp;
  }
}

/** Whether an object exists, according to its OSD. */
export function isThere(
  io: Pick<ExtentHost, "objecter" | "targets">,
  objectNumber: number,
): Promise<boolean> {
  const answer = Promise.withResolvers<boolean>();
  io.objecter.submit(
    new StatRequest(io.targets.get(objectNumber), ({ result, error }) => {
      if (result === 0 || result === -errno.ENOENT) answer.resolve(result === 0);
      else answer.reject(error ?? failed(objectNumber, result));
    }),
  );
  return answer.promise;
}

/** Whether an object is there. */
class StatRequest extends ObjectRequest {
  readonly #done: (request: StatRequest) => void;

  constructor(target: ObjectTarget, done: (request: StatRequest) => void) {
    super();
    this.#done = done;
    this.target = target;
    this.flags = requestFlag.read;
    this.ops.add(opCode.stat);
  }

  fill(): void {}

  output(): void {}

  take(): void {}

  completed(): void {
    this.#done(this);
  }
}

function failed(objectNumber: number, result: number): Error {
  return requestFailure(`cannot copy the parent's data to object ${objectNumber}`, result, undefined);
}
