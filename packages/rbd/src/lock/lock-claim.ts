import { setTimeout as sleep } from "node:timers/promises";
import type { ClassCall } from "../cls/class-call.ts";
import { assertLocked, type Locker, type LockSpec, lock, setCookie, unlock } from "../cls/lock.ts";
import { changeAll } from "../cls/run.ts";
import { hasCode, isFenced, RbdError, unless } from "../errors.ts";
import { headerObject } from "../object-names.ts";
import type { LockHost } from "./lock-host.ts";
import { findOwner, imageLockName, managedLock } from "./locker.ts";
import { Turns } from "./turns.ts";

/**
 * This client's claim to an image's lock: a lock of class `lock` on the header object, whose cookie names the watch. If
 * an OSD's answer is lost, the claim is uncertain until the header is read again. Changes of the claim and of the
 * header that it guards are serialized, so that the lock always follows the watch to a new cookie.
 */
export class LockClaim {
  readonly #host: LockHost;
  #held: LockSpec | undefined;
  /** Cookies under which this client has taken the lock: after a lost answer, an old one may still be in the header. */
  readonly #names = new Set<string>();
  #uncertain = false;
  readonly #changes = new Turns();

  constructor(host: LockHost) {
    this.#host = host;
  }

  get held(): boolean {
    return this.#held !== undefined;
  }

  /** After a lost answer, this client may have the lock unintentionally. */
  get uncertain(): boolean {
    return this.#uncertain;
  }

  isOurs({ client, cookie }: Locker): boolean {
    return client === this.#host.cluster.globalId && this.#names.has(cookie);
  }

  /**
   * Changes the header by an operation that begins with a step which fails unless the lock is ours.
   *
   * @throws RbdError SIPHON_RBD_BUSY if it is not
   */
  guarded(change: (guard: ClassCall) => Promise<void>): Promise<void> {
    return this.#changes.run(() => {
      if (this.#held === undefined) throw this.#lost();
      return change(assertLocked(this.#held));
    });
  }

  /**
   * Takes the lock if it is free, or left by an earlier attempt of this client with a lost answer.
   *
   * @returns false if another client was faster
   */
  take(left: Locker | undefined): Promise<boolean> {
    return this.#changes.run(async () => {
      const wanted = managedLock(await this.#host.watchCookie());
      this.#names.add(wanted.cookie);
      this.#uncertain = true;
      try {
        if (left === undefined) await this.#run([lock(wanted)]);
        else if (left.cookie !== wanted.cookie) {
          await this.#run([setCookie({ ...wanted, cookie: left.cookie }, wanted.cookie)]);
        }
      } catch (error) {
        if (!hasCode(error, "EBUSY", "EEXIST", "ENOENT")) throw error;
        this.#uncertain = false;
        return false;
      }
      this.#uncertain = false;
      this.#held = wanted;
      return true;
    });
  }

  /**
   * Names the lock after the header's new watch.
   *
   * @returns false if another client has the lock @throws the reason why renaming failed: it may be called again
   */
  renew(): Promise<boolean> {
    return this.#changes.run(async () => {
      if (this.#held === undefined) return true;
      const renewed = managedLock(await this.#host.watchCookie());
      if (renewed.cookie === this.#held.cookie) return true;
      this.#names.add(renewed.cookie);
      try {
        await this.#run([setCookie(this.#held, renewed.cookie)]);
      } catch (error) {
        if (!hasCode(error, "EBUSY", "ENOENT")) throw error;
        // The answer to an earlier attempt was lost, or another client took the lock: requests in flight may fail,
        // later ones request it again.
        const owner = await this.#owner();
        if (owner?.cookie !== renewed.cookie || !this.isOurs(owner)) {
          this.#held = undefined;
          return false;
        }
      }
      this.#held = renewed;
      return true;
    });
  }

  /**
   * Releases the lock. Until then another client can take it only by putting this one on the blocklist.
   *
   * @param attempts number of attempts, a second apart
   * @throws the reason why the last attempt failed; the lock is still held then
   */
  async giveBack(attempts: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#changes.run(async () => {
          if (this.#held === undefined) return;
          this.#uncertain = true;
          await this.#run([unlock(imageLockName, this.#held.cookie)]).catch(unless("ENOENT"));
          this.#uncertain = false;
          this.#held = undefined;
        });
        return;
      } catch (error) {
        if (isFenced(error) || hasCode(error, "SIPHON_RADOS_CLOSED") || attempt >= attempts) throw error;
        await sleep(retryDelay);
      }
    }
  }

  /** After a lost answer: releases the lock if the header says that this client has it. */
  async settle(): Promise<void> {
    const owner = await this.#owner();
    if (owner !== undefined && this.isOurs(owner)) {
      await this.#changes.run(() => this.#run([unlock(imageLockName, owner.cookie)]).catch(unless("ENOENT")));
    }
    this.#uncertain = false;
  }

  /** Forgets the lock. */
  drop(): void {
    this.#held = undefined;
  }

  #owner(): Promise<Locker | undefined> {
    return findOwner(this.#host.pool, this.#host.image).catch(unless("SIPHON_RBD_BUSY"));
  }

  #run(calls: readonly ClassCall[]): Promise<void> {
    return changeAll(this.#host.pool, headerObject(this.#host.image.id), calls);
  }

  #lost(): RbdError {
    const message = `this client no longer has the lock of image ${this.#host.image.name}`;
    return new RbdError("SIPHON_RBD_BUSY", message, { retryable: true });
  }
}

/** Milliseconds between attempts to release the lock. */
const retryDelay = 1_000;
