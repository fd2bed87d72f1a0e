import { ObjectRequest, type ObjectTarget, requestFlag } from "@siphon/rados/engine";
import { Writer } from "@siphon/wire";
import { assertLocked } from "../cls/lock.ts";
import { ClassMethod } from "../io/class-method.ts";

/** The lock on an image's object map: a client that changes the map holds it besides the lock on the header. */
export const mapLock = { name: "rbd_lock", type: "exclusive", cookie: "", tag: "" } as const;

const assertLockedMethod = new ClassMethod("lock", "assert_locked");
const updateMethod = new ClassMethod("rbd", "object_map_update");
const lockHeld = assertLocked(mapLock).input;

/** A change of the stored states of adjacent objects. */
export interface MapChange {
  readonly first: number;
  /** The first object beyond the range. */
  readonly end: number;
  readonly state: number;
  /** Change only objects in this state. */
  readonly current: number | undefined;
}

/**
 * Changes an object map where it is stored (object_map_update in src/cls/rbd/cls_rbd.cc): u64 first, u64 end, u8 state, and
 * u8 0, or u8 1 and u8 the state that they are in.
 */
export class UpdateRequest extends ObjectRequest {
  readonly change: MapChange;
  readonly #input: Buffer;
  readonly #ofHead: boolean;
  readonly #done: (request: UpdateRequest) => void;

  /** @param ofHead whether it is the current image's map, which is locked, and not a snapshot's */
  constructor(
    target: ObjectTarget,
    change: MapChange,
    ofHead: boolean,
    done: (request: UpdateRequest) => void,
  ) {
    super();
    this.change = change;
    this.target = target;
    this.flags = requestFlag.write;
    this.#ofHead = ofHead;
    this.#done = done;
    const writer = new Writer(24).u64(change.first).u64(change.end).u8(change.state);
    if (change.current === undefined) writer.u8(0);
    else writer.u8(1).u8(change.current);
    this.#input = writer.finish();
    if (ofHead) assertLockedMethod.add(this.ops, lockHeld.length);
    updateMethod.add(this.ops, this.#input.length);
  }

  fill(op: number, into: Buffer, at: number): void {
    if (op === 0 && this.#ofHead) assertLockedMethod.fill(into, at, lockHeld);
    else updateMethod.fill(into, at, this.#input);
  }

  output(): void {}

  take(): void {}

  completed(): void {
    this.#done(this);
  }
}
