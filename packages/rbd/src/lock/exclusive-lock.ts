import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { errno } from "@siphon/wire";
import type { ClassCall } from "../cls/class-call.ts";
import type { Locker } from "../cls/lock.ts";
import { describe } from "../describe.ts";
import { fencedError, isFenced, RbdError } from "../errors.ts";
import { LockClaim } from "./lock-claim.ts";
import type { LockHost } from "./lock-host.ts";
import { breakLockOf, fencingOf, findOwner, isAlive, isSameOwner, isStillDead } from "./locker.ts";
import { Turns } from "./turns.ts";

type State = "unlocked" | "locked" | "closed";

/** The result of a request to the lock's owner. */
interface Asked {
  /**
   * 0: the owner releases it; undefined: no answer; another errno: the release must wait, for example for a group
   * snapshot.
   */
  readonly answer: number | undefined;
  /** Aborted when the owner has, or may have, released it since. */
  readonly woken: Promise<void>;
}

interface LockOptions {
  /** Whether this client keeps the lock when others request it. */
  readonly keeps?: () => boolean;
  /** Waits for an owner that keeps the lock, instead of failing. */
  readonly waits?: boolean;
  /** Failed attempts to release the lock after which it is kept for now. */
  readonly unlockAttempts?: number;
}

/**
 * The lock of an image with feature exclusive-lock, by librbd's protocol (src/librbd/ManagedLock.cc, ExclusiveLock.cc):
 * a lock of the class `lock` on the header, whose cookie names the owner's watch on the header. A client requests it
 * from the owner by a notification. If the same owner is found without a watch twice, some time apart, it is put on the
 * blocklist, and its lock is broken.
 *
 * Tasks that hold the lock are serialized, and may take long. Changes of the lock itself have their own queue
 * (`LockClaim`).
 */
export class ExclusiveLock {
  readonly #host: LockHost;
  readonly #keeps: () => boolean;
  readonly #waits: boolean;
  readonly #closing = new AbortController();
  #state: State = "unlocked";
  readonly #claim: LockClaim;
  readonly #unlockAttempts: number;
  readonly #turns = new Turns();
  #releasing = false;
  #retired = false;
  #wake = Promise.withResolvers<void>();

  constructor(host: LockHost, { keeps, waits = false, unlockAttempts = 30 }: LockOptions = {}) {
    this.#host = host;
    this.#claim = new LockClaim(host);
    this.#keeps = keeps ?? (() => false);
    this.#waits = waits;
    this.#unlockAttempts = unlockAttempts;
  }

  /** This client has the lock and is not about to release it. */
  get owned(): boolean {
    return this.#state === "locked" && !this.#releasing;
  }

  /** This client has the lock, perhaps not for long. */
  get held(): boolean {
    return this.#claim.held;
  }

  /** This client has the lock, or may have it because an answer was lost: others must not take this client for dead. */
  get mayBeHeld(): boolean {
    return this.#claim.held || this.#claim.uncertain;
  }

  /**
   * Changes the header by an operation whose first step fails unless this client has the lock.
   *
   * @throws RbdError SIPHON_RBD_BUSY if it is not
   */
  guarded(change: (guard: ClassCall) => Promise<void>): Promise<void> {
    return this.#claim.guarded(change);
  }

  /**
   * Acquires the lock, however long the owner takes.
   *
   * @throws RbdError SIPHON_RBD_LOCKED if the owner keeps it and waiting is off, _BUSY if it was taken manually,
   * _FENCED, _CLOSED
   */
  acquire(signal?: AbortSignal): Promise<void> {
    const stop =
      signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    return this.#inTurn(async () => {
      await this.#ask(stop, () => false);
    });
  }

  /** As `acquire`; false if the owner answers that it will release the lock later. */
  acquireUnlessBusy(): Promise<boolean> {
    return this.#inTurn(() =>
      this.#ask(this.#closing.signal, (answer) => answer !== undefined && answer < 0),
    );
  }

  /** Calls a function while holding the lock; returns false without a call if a live client has it. */
  whileOwned(action: () => Promise<void>): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!(await this.#try())) return false;
      await action();
      return true;
    });
  }

  /** Releases the lock when the writes in flight are done. */
  release(): Promise<void> {
    return this.#inTurn(() => this.#release());
  }

  /**
   * Another client requests it: returns 0 if it will be released, a negative errno if not, undefined if this client
   * does not have it.
   */
  requested(): number | undefined {
    if (this.#state === "unlocked" && this.#claim.uncertain) {
      this.#inTurn(() => this.#settle()).catch((error) => this.#host.notReleased(error));
      return 0;
    }
    if (this.#state !== "locked") return undefined;
    if (this.#keeps()) return keepsIt;
    if (this.#releasing) return 0;
    this.#releasing = true;
    this.release().catch((error) => this.#host.notReleased(error));
    return 0;
  }

  /** Another client has, or may have, released it: waiting callers try again. */
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** The image no longer has feature exclusive-lock: waiting callers continue without the lock. */
  retire(): void {
    this.#retired = true;
    this.wake();
  }

  /**
   * The header is watched again: renames the lock to the new watch, even while a long task holds it.
   *
   * @throws the reason for a failure: it may be called again
   */
  async renew(): Promise<void> {
    if (!(await this.#claim.renew())) this.#forget();
  }

  /** @throws the reason why the lock could not be released: this client still has it */
  async close(): Promise<void> {
    this.#closing.abort(new RbdError("SIPHON_RBD_CLOSED", `image ${this.#host.image.name} was closed`));
    await this.#inTurn(async () => {
      await this.#release();
      await this.#settle();
      this.#state = "closed";
    });
  }

  /** Requests the lock until this client has it; false if the owner's answer is final. */
  async #ask(signal: AbortSignal, isEnd: (answer: number | undefined) => boolean): Promise<boolean> {
    signal.throwIfAborted();
    try {
      while (!(await this.#try())) {
        const asked = await this.#request(signal);
        if (isEnd(asked.answer)) return false;
        await this.#waitFor(asked, signal);
      }
      return true;
    } finally {
      this.#host.waiting(undefined);
    }
  }

  async #try(): Promise<boolean> {
    if (this.#state === "locked" || this.#retired) return true;
    this.#closing.signal.throwIfAborted();
    const { cluster, pool, image } = this.#host;
    for (;;) {
      const owner = await findOwner(pool, image);
      if (owner === undefined || this.#claim.isOurs(owner)) {
        if (await this.#take(owner)) return true;
      } else if (await isAlive(cluster, pool, image.id, owner)) return false;
      // It may have released the lock before it ended its watch.
      else if (isSameOwner(await findOwner(pool, image), owner)) {
        await sleep(secondLook, undefined, { signal: this.#closing.signal }).catch(() => {});
        this.#closing.signal.throwIfAborted();
        const fencing = await fencingOf(cluster, pool, image.id);
        if (await isStillDead(cluster, pool, image, owner)) {
          await breakLockOf(cluster, pool, image.id, owner, fencing);
        }
      }
    }
  }

  async #take(left: Locker | undefined): Promise<boolean> {
    if (!(await this.#claim.take(left))) return false;
    try {
      await this.#host.acquired();
    } catch (error) {
      // If this fails as well, the claim is uncertain: the lock is released when another client requests it.
      await this.#claim.giveBack(1).catch(() => {});
      this.#forget();
      throw error;
    }
    if (this.#retired) {
      // If the image gets the feature again, a leftover lock looks like that of a dead owner.
      await this.#claim.giveBack(this.#unlockAttempts).catch(() => {});
      this.#claim.drop();
      return true;
    }
    // Another client took it meanwhile.
    if (!this.#claim.held) return false;
    this.#state = "locked";
    this.#host.owned();
    void this.#tell("acquiredLock");
    return true;
  }

  async #request(signal: AbortSignal): Promise<Asked> {
    signal.throwIfAborted();
    const { promise: woken } = this.#wake;
    const client = { gid: this.#host.cluster.globalId, handle: await this.#host.watchCookie() };
    const answer = await this.#host.askOwner({ type: "requestLock", client, force: false });
    if (answer === keepsIt) {
      const { name } = this.#host.image;
      const refused = new RbdError(
        "SIPHON_RBD_LOCKED",
        `the owner of image ${name}'s lock does not release it`,
        {
          retryable: true,
          remedy: { name: "list-locks", subject: describe(this.#host.pool, name) },
        },
      );
      if (!this.#waits) throw refused;
      this.#host.waiting(refused);
    }
    return { answer, woken };
  }

  async #waitFor({ answer, woken }: Asked, signal: AbortSignal): Promise<void> {
    const cut = new AbortController();
    const pause = sleep(answer === 0 ? releaseTimeout : retryDelay, undefined, {
      signal: AbortSignal.any([signal, cut.signal]),
    }).catch(() => signal.throwIfAborted());
    await Promise.race([woken, pause]).finally(() => cut.abort());
  }

  async #release(): Promise<void> {
    if (this.#state !== "locked") return;
    this.#releasing = true;
    // Writes that just got the lock begin first, and are then waited for.
    await setImmediate();
    try {
      await this.#host.releasing();
      await this.#claim.giveBack(this.#unlockAttempts);
    } catch (error) {
      // Writes must not wait for a lock that is neither used nor released: they request it again, and so does the other
      // client.
      if (!this.#closing.signal.aborted) this.#forget();
      throw error;
    }
    this.#forget();
    void this.#tell("releasedLock");
  }

  async #settle(): Promise<void> {
    if (this.#state !== "unlocked" || !this.#claim.uncertain) return;
    await this.#claim.settle();
    void this.#tell("releasedLock");
  }

  #forget(): void {
    if (this.#state === "locked") this.#state = "unlocked";
    this.#claim.drop();
    this.#releasing = false;
    this.#host.released();
  }

  async #tell(type: "acquiredLock" | "releasedLock"): Promise<void> {
    try {
      const client = { gid: this.#host.cluster.globalId, handle: await this.#host.watchCookie() };
      await this.#host.tell({ type, client });
    } catch {
      // Answers do not matter, and waiting clients ask again.
    }
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await this.#turns.run(action);
    } catch (error) {
      if (!isFenced(error)) throw error;
      const fenced = fencedError(this.#host.image.name, error);
      this.#host.fenced(fenced);
      throw fenced;
    }
  }
}

/** EROFS: the answer of an owner that keeps the lock until it closes the image. */
const keepsIt = -errno.EROFS;
/** Milliseconds until an owner is asked again: one that does not answer or is busy, and one that agreed. */
const retryDelay = 1_000;
const releaseTimeout = 5_000;
/**
 * Milliseconds until an owner that seemed dead is checked again: one that was only disconnected watches again by then.
 */
const secondLook = 2_000;
