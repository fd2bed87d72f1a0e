import type { DirtyLog } from "./memory/dirty-log.ts";
import { closeQuietly, signalEvent } from "./native/event.ts";
import { malformed, type VringAddresses } from "./protocol/payloads.ts";
import { usedBytes } from "./ring/split-ring.ts";

/**
 * Tells a front-end that migrates its guest which memory this side changes. The front-end says in several messages whether it wants to know,
 * and where changes are marked.
 */
export class ChangeLog implements Disposable {
  /** Where changes are marked; undefined while none are. */
  marks: DirtyLog | undefined;
  #memory: DirtyLog | undefined;
  #isWanted = false;
  #event: number | undefined;

  /** Memory that is known, whether it is in use or not. */
  get memory(): DirtyLog | undefined {
    return this.#memory;
  }

  /** Marks changes in this memory from now on, if they are to be marked. */
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

  /** An eventfd for a front-end that does not look by itself. */
  setEvent(fd: number | undefined): void {
    if (this.#event !== undefined) closeQuietly(this.#event);
    this.#event = fd;
  }

  /** The used entries of a ring were changed: all of them are marked, since they are a few pages. */
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

/** @throws AttachError SIPHON_ATTACH_PROTOCOL for a log without room for the ring's used entries */
export function checkUsedEntries(log: DirtyLog, { log: at }: VringAddresses, size: number): void {
  if (at === undefined || log.covers(at, usedBytes(size))) return;
  throw malformed("used entries beyond the end of the log");
}
