import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { Cluster, Pool } from "@siphon/rados";
import type { ClassCall } from "../cls/class-call.ts";
import { assertLocked, type LockSpec, lock, setCookie, unlock } from "../cls/lock.ts";
import { changeAll } from "../cls/run.ts";
import { hasCode, isFenced, RbdError, unless } from "../errors.ts";
import type { ImageState } from "../image-state.ts";
import { headerObject } from "../object-names.ts";
import type { NotifyMessage } from "../watch/notify-message.ts";
import { breakLockOf, findOwner, imageLockName, isAlive, managedLock } from "./locker.ts";

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
 * a notification; an owner whose watch is gone is put on the blocklist first, and then the lock is taken.
 *
 * What is done with it happens one after the other.
 */
export class ExclusiveLock {
  /** Kept until the image is closed, whoever asks for it. */
  readonly keep: boolean;
  readonly #host: LockHost;
  readonly #closing = new AbortController();
  #state: State = "unlocked";
  #held: LockSpec | undefined;
  #turn: Promise<unknown> = Promise.resolve();
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

  /** A step for changes of the header, which go through only while the lock is ours. */
  get guard(): ClassCall {
    if (this.#held === undefined) throw this.#lost();
    return assertLocked(this.#held);
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
    if (!this.owned) return undefined;
    if (this.keep) return keepsIt;
    this.#releasing = true;
    void this.release().catch(() => {});
    return 0;
  }

  /** Somebody gave it away, or may have: those who wait look again. */
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** The header is watched anew: the lock goes with the watch. */
  renew(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== "locked") return;
      const renewed = managedLock(await this.#host.watchCookie());
      if (renewed.cookie === this.#held!.cookie) return;
      try {
        await this.#change([setCookie(this.#held!, renewed.cookie)]);
        this.#held = renewed;
      } catch (error) {
        if (!hasCode(error, "EBUSY", "ENOENT")) throw error;
        // Somebody took it meanwhile: what is still under way may fail, what follows asks for the lock again.
        this.#forget();
      }
    });
  }

  async close(): Promise<void> {
    this.#closing.abort(new RbdError("SIPHON_RBD_CLOSED", `image ${this.#host.image.name} was closed`));
    await this.#inTurn(async () => {
      await this.#release();
      this.#state = "closed";
    });
  }

  async #try(): Promise<boolean> {
    if (this.#state === "locked") return true;
    this.#closing.signal.throwIfAborted();
    const { cluster, pool, image, watchCookie } = this.#host;
    const wanted = managedLock(await watchCookie.call(this.#host));
    for (;;) {
      const owner = await findOwner(pool, image);
      if (owner === undefined) {
        if (await this.#take(wanted)) return true;
      } else if (owner.client === cluster.globalId && owner.cookie === wanted.cookie) {
        // The answer to our own request was lost.
        await this.#ours(wanted);
        return true;
      } else if (await isAlive(pool, image.id, owner)) return false;
      else await breakLockOf(cluster, pool, image.id, owner);
    }
  }

  async #take(wanted: LockSpec): Promise<boolean> {
    try {
      await this.#change([lock(wanted)]);
    } catch (error) {
      if (hasCode(error, "EBUSY", "EEXIST")) return false;
      throw error;
    }
    await this.#ours(wanted);
    return true;
  }

  async #ours(held: LockSpec): Promise<void> {
    this.#held = held;
    try {
      await this.#host.acquired();
    } catch (error) {
      this.#held = undefined;
      await this.#change([unlock(imageLockName, held.cookie)]).catch(() => {});
      throw error;
    }
    this.#state = "locked";
    const client = { gid: this.#host.cluster.globalId, handle: await this.#host.watchCookie() };
    void this.#host.tell({ type: "acquiredLock", client });
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
        hint: `see who it is with: siphon rbd lock ls ${name}`,
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
    try {
      await this.#host.releasing();
      const { cookie } = this.#held!;
      await this.#change([unlock(imageLockName, cookie)]).catch(unless("ENOENT"));
    } finally {
      this.#forget();
    }
    const client = { gid: this.#host.cluster.globalId, handle: await this.#host.watchCookie() };
    void this.#host.tell({ type: "releasedLock", client });
  }

  #forget(): void {
    this.#state = "unlocked";
    this.#held = undefined;
    this.#releasing = false;
    this.#host.released();
  }

  #change(calls: readonly ClassCall[]): Promise<void> {
    return changeAll(this.#host.pool, headerObject(this.#host.image.id), calls);
  }

  #lost(): RbdError {
    const message = `the lock of image ${this.#host.image.name} is not ours any more`;
    return new RbdError("SIPHON_RBD_BUSY", message, { retryable: true });
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
