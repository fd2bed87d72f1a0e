import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { Cluster, Pool } from "@siphon/rados";
import type { ClassCall } from "../cls/class-call.ts";
import { assertLocked, type Locker, type LockSpec, lock, setCookie, unlock } from "../cls/lock.ts";
import { changeAll } from "../cls/run.ts";
import { hasCode, isFenced, RbdError, unless } from "../errors.ts";
import type { ImageState } from "../image-state.ts";
import { headerObject } from "../object-names.ts";
import type { NotifyMessage } from "../watch/notify-message.ts";
import {
  breakLockOf,
  findOwner,
  imageLockName,
  isAlive,
  isSameOwner,
  isStillDead,
  managedLock,
} from "./locker.ts";

export interface LockHost {
  readonly cluster: Cluster;
  /** Of the header. */
  readonly pool: Pool;
  readonly image: Pick<ImageState, "id" | "name">;
  /** Cookie of the watch on the header; waits for it while the watch is made anew. */
  watchCookie(): Promise<bigint>;
  /** What the owner of the lock answers; undefined if nobody does. */
  askOwner(message: NotifyMessage): Promise<number | undefined>;
  tell(message: NotifyMessage): Promise<void>;
  /** The lock is ours: what was not known of the image is read, writes may begin once it returns. */
  acquired(): Promise<void>;
  /** The lock will be given away: returns when no write is under way, and none begins. */
  releasing(): Promise<void>;
  /** It is given away, or lost. */
  released(): void;
  /** Nothing that this client writes arrives any more. */
  fenced(error: RbdError): void;
}

type State = "unlocked" | "locked" | "closed";

/** The owner was asked for the lock. */
interface Asked {
  /** 0: it is given away; undefined: nobody answered; another errno: that has to wait, for a snapshot of a whole group. */
  readonly answer: number | undefined;
  /** Somebody gave it away since, or may have. */
  readonly woken: Promise<void>;
}

/**
 * The lock of an image with feature exclusive-lock, by librbd's protocol (src/librbd/ManagedLock.cc, ExclusiveLock.cc): a
 * lock of the class `lock` on the header, whose cookie names the owner's watch on the header. Whoever wants it asks the owner by
 * a notification. An owner that is found twice to have no watch, with a while in between, and is the same both times, is put on the
 * blocklist, and then the lock is taken.
 *
 * What is done with the lock held happens one after the other, and may take long. Changes of the lock itself, and of the header that
 * it guards, have a queue of their own, so that the lock follows the watch to a new cookie whatever else goes on.
 */
export class ExclusiveLock {
  /** Kept until the image is closed, whoever asks for it. */
  readonly keep: boolean;
  readonly #host: LockHost;
  readonly #closing = new AbortController();
  #state: State = "unlocked";
  #held: LockSpec | undefined;
  /** Names that this object has taken the lock under: one may still be there, if an answer was lost. */
  readonly #names = new Set<string>();
  /** It may be ours, and should not be: an answer was lost. */
  #uncertain = false;
  #turn: Promise<unknown> = Promise.resolve();
  #change: Promise<unknown> = Promise.resolve();
  #releasing = false;
  #wake = Promise.withResolvers<void>();

  constructor(host: LockHost, { keep = false } = {}) {
    this.#host = host;
    this.keep = keep;
  }

  /** Ours, and not about to be given away. */
  get owned(): boolean {
    return this.#state === "locked" && !this.#releasing;
  }

  /** Ours, perhaps not for long. */
  get held(): boolean {
    return this.#held !== undefined;
  }

  /**
   * Changes the header by an operation that begins with a step which fails unless the lock is ours.
   *
   * @throws RbdError SIPHON_RBD_BUSY if it is not
   */
  guarded(change: (guard: ClassCall) => Promise<void>): Promise<void> {
    return this.#alone(() => {
      if (this.#held === undefined) throw this.#lost();
      return change(assertLocked(this.#held));
    });
  }

  /**
   * Waits until the lock is ours, however long the owner takes.
   *
   * @throws RbdError SIPHON_RBD_LOCKED if the owner keeps it, _BUSY if it was taken by hand, _FENCED, _CLOSED
   */
  acquire(signal?: AbortSignal): Promise<void> {
    const stop =
      signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    return this.#inTurn(async () => {
      while (!(await this.#try())) await this.#waitFor(await this.#request(stop), stop);
    });
  }

  /** The same; false if the owner answers that it gives the lock away later, but not now. */
  acquireUnlessBusy(): Promise<boolean> {
    const { signal } = this.#closing;
    return this.#inTurn(async () => {
      while (!(await this.#try())) {
        const asked = await this.#request(signal);
        if (asked.answer !== undefined && asked.answer < 0) return false;
        await this.#waitFor(asked, signal);
      }
      return true;
    });
  }

  /** Does something with the lock held throughout; false, and nothing was done, if somebody has it who is alive. */
  whileOwned(action: () => Promise<void>): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!(await this.#try())) return false;
      await action();
      return true;
    });
  }

  /** Gives the lock away, once the writes that are under way are done. */
  release(): Promise<void> {
    return this.#inTurn(() => this.#release());
  }

  /** Somebody else wants it: 0 if they will have it, a negative errno if not, undefined if it is not ours to give. */
  requested(): number | undefined {
    if (this.#state === "unlocked" && this.#uncertain) {
      void this.#inTurn(() => this.#settle()).catch(() => {});
      return 0;
    }
    if (this.#state !== "locked") return undefined;
    if (this.keep) return keepsIt;
    if (this.#releasing) return 0;
    this.#releasing = true;
    void this.release().catch(() => {});
    return 0;
  }

  /** Somebody gave it away, or may have: those who wait look again. */
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /**
   * The header is watched anew: the lock goes with the watch, also while something long is done with it.
   *
   * @throws what keeps the lock from it: it may be called again
   */
  renew(): Promise<void> {
    return this.#alone(async () => {
      if (this.#held === undefined) return;
      const renewed = managedLock(await this.#host.watchCookie());
      if (renewed.cookie === this.#held.cookie) return;
      this.#names.add(renewed.cookie);
      try {
        await this.#run([setCookie(this.#held, renewed.cookie)]);
        this.#held = renewed;
      } catch (error) {
        if (!hasCode(error, "EBUSY", "ENOENT")) throw error;
        // The answer to an earlier attempt was lost, or somebody took it: what is still under way may fail then, what follows asks for it.
        const owner = await findOwner(this.#host.pool, this.#host.image).catch(unless("SIPHON_RBD_BUSY"));
        if (owner?.cookie === renewed.cookie && this.#isOurs(owner)) this.#held = renewed;
        else this.#forget();
      }
    });
  }

  /** @throws what kept the lock from being given away: it is still held then */
  async close(): Promise<void> {
    this.#closing.abort(new RbdError("SIPHON_RBD_CLOSED", `image ${this.#host.image.name} was closed`));
    await this.#inTurn(async () => {
      await this.#release();
      if (this.#uncertain) await this.#settle();
      this.#state = "closed";
    });
  }

  async #try(): Promise<boolean> {
    if (this.#state === "locked") return true;
    this.#closing.signal.throwIfAborted();
    const { cluster, pool, image } = this.#host;
    for (;;) {
      const owner = await findOwner(pool, image);
      if (owner === undefined || this.#isOurs(owner)) {
        if (await this.#take(owner)) return true;
      } else if (await isAlive(cluster, pool, image.id, owner)) return false;
      // It may have given the lock away, and then ended its watch.
      else if (isSameOwner(await findOwner(pool, image), owner)) {
        await sleep(secondLook, undefined, { signal: this.#closing.signal }).catch(() => {});
        this.#closing.signal.throwIfAborted();
        if (await isStillDead(cluster, pool, image, owner)) await breakLockOf(cluster, pool, image.id, owner);
      }
    }
  }

  /** Takes the lock that nobody has, or that is left from an earlier attempt of ours whose answer was lost. */
  async #take(left: Locker | undefined): Promise<boolean> {
    const isTaken = await this.#alone(async () => {
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
    if (!isTaken) return false;
    try {
      await this.#host.acquired();
    } catch (error) {
      await this.#unlock(1).catch(() => {});
      this.#forget();
      throw error;
    }
    // Somebody took it meanwhile.
    if (this.#held === undefined) return false;
    this.#state = "locked";
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
      throw new RbdError("SIPHON_RBD_LOCKED", `the owner of image ${name}'s lock keeps it`, {
        retryable: true,
        hint: `see who it is with: siphon rbd lock ls IMAGE`,
      });
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
    await this.#host.releasing();
    await this.#unlock(mostUnlocks);
    this.#forget();
    void this.#tell("releasedLock");
  }

  /** Until it is not ours any more: as long as it is, nobody else can have it but by putting us on the blocklist. */
  async #unlock(attempts: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#alone(async () => {
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

  /** An answer was lost: gives the lock back if it is ours. */
  async #settle(): Promise<void> {
    if (this.#state !== "unlocked" || !this.#uncertain) return;
    const owner = await findOwner(this.#host.pool, this.#host.image).catch(unless("SIPHON_RBD_BUSY"));
    if (owner !== undefined && this.#isOurs(owner)) {
      await this.#alone(() => this.#run([unlock(imageLockName, owner.cookie)]).catch(unless("ENOENT")));
    }
    this.#uncertain = false;
    void this.#tell("releasedLock");
  }

  #isOurs({ client, cookie }: Locker): boolean {
    return client === this.#host.cluster.globalId && this.#names.has(cookie);
  }

  #forget(): void {
    if (this.#state === "locked") this.#state = "unlocked";
    this.#held = undefined;
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

  #run(calls: readonly ClassCall[]): Promise<void> {
    return changeAll(this.#host.pool, headerObject(this.#host.image.id), calls);
  }

  #lost(): RbdError {
    const message = `the lock of image ${this.#host.image.name} is not ours any more`;
    return new RbdError("SIPHON_RBD_BUSY", message, { retryable: true });
  }

  /** One change of the lock, or of the header that it guards, after the other: none is under way while the lock gets another name. */
  #alone<T>(change: () => Promise<T>): Promise<T> {
    const mine = this.#change.then(change, change);
    this.#change = mine.catch(() => {});
    return mine;
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const mine = before.then(action, action);
    this.#turn = mine.catch(() => {});
    try {
      return await mine;
    } catch (error) {
      if (!isFenced(error)) throw error;
      const fenced = fencedError(this.#host.image.name, error);
      this.#host.fenced(fenced);
      throw fenced;
    }
  }
}

export function fencedError(imageName: string, cause: unknown): RbdError {
  const message = `this client was put on the cluster's blocklist; what it writes to image ${imageName} does not arrive any more`;
  return new RbdError("SIPHON_RBD_FENCED", message, {
    ...{
      cause,
      hint: "another client took the image over while this one did not answer: connect and open it anew",
    },
  });
}

/** EROFS: what the owner answers who keeps the lock until it closes the image. */
const keepsIt = -30;
/** Milliseconds until an owner who does not answer is asked again, or who is busy, and one who agreed. */
const retryDelay = 1_000;
const releaseTimeout = 5_000;
/** Milliseconds after which an owner that seemed to be dead is looked at again: who was only away watches anew by then. */
const secondLook = 2_000;
/** Attempts to give the lock away, before it is left as it is, with the watch. */
const mostUnlocks = 30;
