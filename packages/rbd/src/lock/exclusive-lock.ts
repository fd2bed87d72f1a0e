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

/** The owner was asked for the lock. */
interface Asked {
  /** 0: the owner releases it; undefined: no answer; another errno: the release has to wait, for a snapshot of a whole group. */
  readonly answer: number | undefined;
  /** The owner has released it since, or may have. */
  readonly woken: Promise<void>;
}

interface LockOptions {
  /** Whether others are refused the lock, once it is ours. */
  readonly keeps?: () => boolean;
  /** For an owner that keeps the lock, instead of failing. */
  readonly waits?: boolean;
  /** After this many failed attempts to give the lock away it is kept for the time being. */
  readonly unlockAttempts?: number;
}

/**
 * The lock of an image with feature exclusive-lock, by librbd's protocol (src/librbd/ManagedLock.cc, ExclusiveLock.cc): a
 * lock of the class `lock` on the header, whose cookie names the owner's watch on the header. Whoever wants it asks the owner by
 * a notification. An owner that is found twice to have no watch, with a while in between, and is the same both times, is put on the
 * blocklist, and then the lock is taken.
 *
 * Work that is done with the lock held runs one after the other, and may take long. Changes of the lock itself have a queue of their
 * own (`LockClaim`).
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

  /** Ours, and not about to be given away. */
  get owned(): boolean {
    return this.#state === "locked" && !this.#releasing;
  }

  /** Ours, perhaps not for long. */
  get held(): boolean {
    return this.#claim.held;
  }

  /** Ours, or perhaps ours since an answer was lost: this client must stay alive for others. */
  get mayBeHeld(): boolean {
    return this.#claim.held || this.#claim.uncertain;
  }

  /**
   * Changes the header by an operation that begins with a step which fails unless the lock is ours.
   *
   * @throws RbdError SIPHON_RBD_BUSY if it is not
   */
  guarded(change: (guard: ClassCall) => Promise<void>): Promise<void> {
    return this.#claim.guarded(change);
  }

  /**
   * Waits until the lock is ours, however long the owner takes.
   *
   * @throws RbdError SIPHON_RBD_LOCKED if the owner keeps it and is not waited for, _BUSY if it was taken manually, _FENCED, _CLOSED
   */
  acquire(signal?: AbortSignal): Promise<void> {
    const stop =
      signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    return this.#inTurn(async () => {
      await this.#ask(stop, () => false);
    });
  }

  /** The same; false if the owner answers that it gives the lock away later, but not now. */
  acquireUnlessBusy(): Promise<boolean> {
    return this.#inTurn(() =>
      this.#ask(this.#closing.signal, (answer) => answer !== undefined && answer < 0),
    );
  }

  /** Does something with the lock held throughout; false, and nothing was done, if somebody has it who is alive. */
  whileOwned(action: () => Promise<void>): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!(await this.#try())) return false;
      await action();
      return true;
    });
  }

  /** Gives the lock away, once the writes that are in flight are done. */
  release(): Promise<void> {
    return this.#inTurn(() => this.#release());
  }

  /** Somebody else wants it: 0 if they will have it, a negative errno if not, undefined if it is not ours to give. */
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

  /** Somebody gave it away, or may have: those who wait look again. */
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** The image no longer has feature exclusive-lock: callers that wait for the lock continue without it. */
  retire(): void {
    this.#retired = true;
    this.wake();
  }

  /**
   * The header is watched again: the lock goes with the watch, also while something long is done with it.
   *
   * @throws the reason why it could not: it may be called again
   */
  async renew(): Promise<void> {
    if (!(await this.#claim.renew())) this.#forget();
  }

  /** @throws the reason why the lock could not be given away: it is still held then */
  async close(): Promise<void> {
    this.#closing.abort(new RbdError("SIPHON_RBD_CLOSED", `image ${this.#host.image.name} was closed`));
    await this.#inTurn(async () => {
      await this.#release();
      await this.#settle();
      this.#state = "closed";
    });
  }

  /** Asks for the lock until it is ours; false if the owner gives an answer that ends it. */
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
      // It may have given the lock away, and then ended its watch.
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
      // If this fails as well, the claim is uncertain: it is given back when somebody asks for the lock.
      await this.#claim.giveBack(1).catch(() => {});
      this.#forget();
      throw error;
    }
    if (this.#retired) {
      // If the image gets the feature again, a lock that is left behind looks like that of a dead owner.
      await this.#claim.giveBack(this.#unlockAttempts).catch(() => {});
      this.#claim.drop();
      return true;
    }
    // Somebody took it meanwhile.
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
    // Writes that just got the lock begin before they are waited for.
    await setImmediate();
    try {
      await this.#host.releasing();
      await this.#claim.giveBack(this.#unlockAttempts);
    } catch (error) {
      // Writes must not wait for a lock that is neither used nor given away: they ask for it again. So does whoever wanted it.
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
      // Nobody's answer matters, and those who wait ask again.
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

/** EROFS: what the owner answers who keeps the lock until it closes the image. */
const keepsIt = -errno.EROFS;
/** Milliseconds until an owner who does not answer is asked again, or who is busy, and one who agreed. */
const retryDelay = 1_000;
const releaseTimeout = 5_000;
/** Milliseconds after which an owner that seemed to be dead is looked at again: who was only away watches again by then. */
const secondLook = 2_000;
