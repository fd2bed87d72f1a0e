import { errnoOf } from "../errors.ts";
import type { Operation } from "./operation.ts";

/**
 * Holds writes back while they are not allowed: before this client has the image's lock, while it is released, while a
 * snapshot is taken. After a final failure it lets nothing through.
 */
export class WriteGate {
  readonly #enter: (operation: Operation) => void;
  readonly #ensureOwner: (() => Promise<void>) | undefined;
  #owner: boolean;
  /** Number of times that the lock was lost or released. */
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

  /** Why writes never resume. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** This client has the lock, or the image has none. */
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

  /** @param owner false: the next write requests the lock first */
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

  /** The lock was not acquired: the waiting writes fail, later ones request it again. */
  #refuse(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const operation of waiting) {
      operation.fail(errnoOf(error), error);
      this.#enter(operation);
    }
  }
}
