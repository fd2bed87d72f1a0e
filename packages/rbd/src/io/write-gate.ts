import { errnoOf } from "../errors.ts";
import type { Operation } from "./operation.ts";

/**
 * Holds writes back while they must not happen: before the image's lock is ours, while it is given away, while a snapshot is
 * taken. Once closed for good it lets nothing through any more.
 */
export class WriteGate {
  readonly #enter: (operation: Operation) => void;
  readonly #ensureOwner: (() => Promise<void>) | undefined;
  #owner: boolean;
  /** How often the lock was lost or given away. */
  #losses = 0;
  #pauses = 0;
  #asking = false;
  #waiting: Operation[] = [];
  #failure: Error | undefined;

  constructor(enter: (operation: Operation) => void, ensureOwner: (() => Promise<void>) | undefined) {
    this.#enter = enter;
    this.#ensureOwner = ensureOwner;
    this.#owner = ensureOwner === undefined;
  }

  /** Why no write will happen any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The lock is ours, or there is none. */
  get owner(): boolean {
    return this.#owner;
  }

  get open(): boolean {
    return this.#owner && this.#pauses === 0 && this.#failure === undefined;
  }

  pass(operation: Operation): void {
    if (this.open) {
      this.#enter(operation);
      return;
    }
    this.#waiting.push(operation);
    this.#advance();
  }

  pause(): void {
    this.#pauses++;
  }

  resume(): void {
    this.#pauses--;
    this.#advance();
  }

  /** @param owner false: the next write asks for the lock first */
  setOwner(owner: boolean): void {
    if (!owner) this.#losses++;
    this.#owner = owner || this.#ensureOwner === undefined;
    this.#advance();
  }

  closeForGood(failure: Error): void {
    this.#failure ??= failure;
    this.#advance();
  }

  #advance(): void {
    if (this.#failure === undefined && this.#pauses > 0) return;
    if (this.#failure !== undefined || this.#owner) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const operation of waiting) this.#enter(operation);
      return;
    }
    if (this.#waiting.length > 0 && !this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    const losses = this.#losses;
    try {
      await this.#ensureOwner!();
      // A lock that was lost meanwhile must be requested again.
      if (losses === this.#losses) this.#owner = true;
    } catch (error) {
      this.#refuse(error as Error);
    } finally {
      this.#asking = false;
      this.#advance();
    }
  }

  /** The lock could not be had: the writes that wait fail, later ones ask again. */
  #refuse(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const operation of waiting) {
      operation.fail(errnoOf(error), error);
      this.#enter(operation);
    }
  }
}
