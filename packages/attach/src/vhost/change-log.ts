import type { DirtyLog } from "./memory/dirty-log.ts";
import { closeQuietly, signalEvent } from "./native/event.ts";

/** What a front-end that migrates its guest wants to know: which memory this side changes. It comes in several messages. */
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

  /** Pages were marked. */
  tell(): void {
    if (this.#event !== undefined) signalEvent(this.#event);
  }

  [Symbol.dispose](): void {
    this.setEvent(undefined);
    this.marks = undefined;
    this.#memory?.[Symbol.dispose]();
    this.#memory = undefined;
  }
}
