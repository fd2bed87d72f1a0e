import type { DirtyLog } from "./memory/dirty-log.ts";
import { closeQuietly, signalEvent } from "./native/event.ts";
import { malformed, type VringAddresses } from "./protocol/payloads.ts";
import { usedBytes } from "./ring/split-ring.ts";

/**
 * Marks the memory that this side changes, for a front-end that migrates its guest. Several messages set whether and
 * where changes are marked.
 */
export class ChangeLog implements Disposable {
  /** The log in use; undefined while changes are not marked. */
  marks: DirtyLog | undefined;
  #memory: DirtyLog | undefined;
  #isWanted = false;
  #event: number | undefined;

  /** The log's memory, used or not. */
  get memory(): DirtyLog | undefined {
    return this.#memory;
  }

  /** Sets the log's memory; changes are marked in it if marking is on. */
  setMemory(memory: DirtyLog): void {
    const before = this.#memory;
    this.#memory = memory;
    this.marks = this.#isWanted ? memory : undefined;
    before?.[Symbol.dispose]();
  }

  want(wanted: boolean): void {
    this.#isWanted = wanted;
    this.marks = wanted ? this.#memory : undefined;
  }

  /** An eventfd for a front-end that does not poll the log. */
  setEvent(fd: number | undefined): void {
    if (this.#event !== undefined) closeQuietly(this.#event);
    this.#event = fd;
  }

  /** Marks all used entries of a ring as changed; they are only a few pages. */
  markUsedEntries({ log: at }: VringAddresses, size: number): void {
    if (this.marks === undefined || at === undefined) return;
    this.marks.mark(at, usedBytes(size));
    if (this.#event !== undefined) signalEvent(this.#event);
  }

  [Symbol.dispose](): void {
    this.setEvent(undefined);
    this.marks = undefined;
    this.#memory?.[Symbol.dispose]();
    this.#memory = undefined;
  }
}

/** @throws AttachError SIPHON_ATTACH_PROTOCOL if the log is too short for the ring's used entries */
export function checkUsedEntries(log: DirtyLog, { log: at }: VringAddresses, size: number): void {
  if (at === undefined || log.covers(at, usedBytes(size))) return;
  throw malformed("used entries beyond the end of the log");
}
