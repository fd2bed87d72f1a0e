import { setTimeout as sleep } from "node:timers/promises";
import { throwUnowned } from "@siphon/rados/engine";
import { errno, errnoName, longestTimer, WireError } from "@siphon/wire";
import { errnoOf, RbdError } from "../errors.ts";
import { carryOut } from "../maintenance/carry-out.ts";
import type { MaintainedImage } from "../maintenance/maintained-image.ts";
import type { OnProgress } from "../progress.ts";
import {
  decodeNotifyMessage,
  encodeNotifyMessage,
  encodeResponse,
  type NotifyMessage,
  type RequestId,
  requestKey,
  responseOf,
} from "../watch/notify-message.ts";
import { isDone, type OwnerTask } from "../watch/owner-task.ts";
import { notice } from "./notices.ts";
import type { QuiesceWatchers } from "./quiesce-watchers.ts";

interface Pending {
  progress: OnProgress | undefined;
  /** Its errno, when the owner has reported it; this may arrive before the owner's answer to the request. */
  result: number | undefined;
  /** Settles when there is a result or progress. */
  news: PromiseWithResolvers<void>;
}

/** The result of a task that another client requested. */
interface Served {
  /** Undefined while the task runs. */
  result: number | undefined;
  /** `performance.now()`. */
  ended: number;
}

/** An open image whose changes are requested. */
export interface RequestedImage extends MaintainedImage {
  readonly readOnly: boolean;
  readonly quiesceWatchers: QuiesceWatchers;
  /** @throws RbdError once the image was closed, or the client was put on the blocklist */
  assertOpen(): void;
  /** Reads the header again because another client changed it. */
  follow(): Promise<void>;
}

/**
 * Changes of an image that only the lock's owner may make (src/librbd/ImageWatcher.cc): this client's requests to the
 * owner, and other clients' requests to this one.
 */
export class Requests {
  readonly #image: RequestedImage;
  /** This client's tasks that the owner is working on. */
  readonly #pending = new Map<string, Pending>();
  /** Tasks of other clients: those in progress, and recent ones, which may be requested again. */
  readonly #served = new Map<string, Served>();
  readonly #closing = new AbortController();
  #last = 0n;

  constructor(image: RequestedImage) {
    this.#image = image;
  }

  /** The number of a new request to the owner. */
  async newId(): Promise<RequestId> {
    return {
      gid: this.#image.cluster.globalId,
      handle: await this.#image.watchCookie(),
      request: ++this.#last,
    };
  }

  /** The answer of the lock's owner; undefined if there is none. */
  async askOwner(message: NotifyMessage): Promise<number | undefined> {
    if (message.type === "unknown") return undefined;
    const { pool, headerName } = this.#image;
    const { replies } = await pool.notify(headerName, encodeNotifyMessage(message), {
      signal: this.#closing.signal,
    });
    return replies.map(({ payload }) => responseOf(payload)).find((result) => result !== undefined);
  }

  /**
   * Carries out a task that needs the lock: in this client if it can take the lock, otherwise by its owner.
   *
   * @throws RbdError SIPHON_RBD_REFUSED with the owner's errno
   */
  async perform(task: OwnerTask, progress?: OnProgress): Promise<void> {
    const image = this.#image;
    const wasDone = isDone(image.header, task);
    for (let wasAsked = false; ; ) {
      image.assertOpen();
      if (image.readOnly) {
        throw new RbdError("SIPHON_RBD_READ_ONLY", `image ${image.header.name} was opened read-only`);
      }
      // A repeated request: an owner whose answer was lost may have done it.
      const nowDone = async () => {
        await image.refresh();
        return !wasDone && isDone(image.header, task);
      };
      const here = async () => {
        if (!wasAsked || !(await nowDone())) await carryOut(image, task, progress);
      };
      if (image.lock === undefined) return here();
      if (await image.lock.whileOwned(here)) return;
      const result = await this.#askForTask(task, progress);
      if (result === 0) return image.refresh();
      if (result === notSupported) {
        // An owner that does not know the task may release the lock.
        await image.lock.acquire();
        continue;
      }
      if (result !== undefined && !transient.has(result)) {
        if (wasAsked && (await nowDone())) return;
        throw refused(image, task, result);
      }
      wasAsked = true;
      if (result !== restart) await sleep(retryDelay, undefined, { signal: this.#closing.signal });
    }
  }

  /** Answers a notification. It may come from any client that can read the header; an invalid one gets no answer. */
  async serve(payload: Buffer): Promise<Uint8Array | undefined> {
    const image = this.#image;
    let message: NotifyMessage;
    try {
      message = decodeNotifyMessage(payload);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      notice({ event: "nonsense", image: image.header.name, error });
      return undefined;
    }
    switch (message.type) {
      case "headerUpdate":
        await image.follow();
        return encodeResponse(0);
      case "acquiredLock":
      case "releasedLock":
        image.lock?.wake();
        // An owner that is gone will not finish its tasks.
        this.#restart();
        return undefined;
      case "requestLock":
        return answer(image.lock?.requested());
      case "asyncProgress":
        tellProgress(this.#pending.get(requestKey(message.id))?.progress, message);
        this.#heard(message.id, undefined);
        return undefined;
      case "asyncComplete":
        this.#heard(message.id, message.result);
        return undefined;
      case "quiesce":
        return encodeResponse(await image.quiesceWatchers.quiesce(requestKey(message.id)));
      case "unquiesce":
        await image.quiesceWatchers.unquiesce(requestKey(message.id));
        return encodeResponse(0);
      case "unknown":
        return image.lock?.owned ? encodeResponse(notSupported) : undefined;
      default:
        return image.lock?.owned ? this.#serveTask(message) : undefined;
    }
  }

  close(): void {
    this.#closing.abort(new RbdError("SIPHON_RBD_CLOSED", `image ${this.#image.header.name} was closed`));
    this.#restart();
  }

  async #askForTask(task: OwnerTask, progress: OnProgress | undefined): Promise<number | undefined> {
    if (!("id" in task) || task.id === undefined) return this.askOwner(task);
    const key = requestKey(task.id);
    const pending: Pending = { progress, result: undefined, news: Promise.withResolvers() };
    this.#pending.set(key, pending);
    try {
      // The notification waits for all clients that have the image open; the owner's own messages may arrive earlier.
      const answer = this.askOwner(task).then((answered) => answered ?? "silent");
      answer.catch(() => {});
      for (let accepted = false; ; ) {
        const news = pending.news.promise.then(() => undefined);
        const waits = [news, accepted ? this.#silence() : answer];
        const answered = await Promise.race(waits);
        if (pending.result !== undefined) return pending.result;
        pending.news = Promise.withResolvers();
        if (answered === undefined) continue;
        if (answered === "silent") return undefined;
        if (answered !== 0) return answered;
        accepted = true;
      }
    } finally {
      this.#pending.delete(key);
    }
  }

  /** Milliseconds without progress after which the owner is asked again. */
  async #silence(): Promise<number> {
    const { signal } = this.#closing;
    const seconds = this.#image.settings.number("rbd_request_timed_out_seconds");
    await sleep(Math.min(seconds * 1000, longestTimer), undefined, { signal, ref: false }).catch(() => {});
    return restart;
  }

  /** @param result undefined: the owner is working on it */
  #heard(id: RequestId, result: number | undefined): void {
    const pending = this.#pending.get(requestKey(id));
    if (pending === undefined) return;
    pending.result ??= result;
    pending.news.resolve();
  }

  #restart(): void {
    for (const pending of this.#pending.values()) {
      pending.result ??= restart;
      pending.news.resolve();
    }
  }

  async #serveTask(task: OwnerTask): Promise<Uint8Array> {
    const id = "id" in task ? task.id : undefined;
    if (id === undefined) return encodeResponse(await this.#do(task));
    const key = requestKey(id);
    const before = this.#served.get(key);
    // Requested again because the answer, or the message about the end, was lost.
    if (before !== undefined) {
      if (before.result !== undefined) void this.#complete(id, before);
      return encodeResponse(0);
    }
    this.#forgetOld();
    const underWay = [...this.#served.values()].filter(({ result }) => result === undefined).length;
    if (underWay >= mostTasks) return encodeResponse(busy);
    const served: Served = { result: undefined, ended: 0 };
    this.#served.set(key, served);
    void this.#do(
      task,
      (offset, total) => void this.#image.tell({ type: "asyncProgress", id, offset, total }),
    ).then((result) => {
      // A new owner starts the task again, even if this client is the owner again.
      if (result === restart) this.#served.delete(key);
      served.result = result;
      served.ended = performance.now();
      return this.#complete(id, served);
    });
    return encodeResponse(0);
  }

  #complete(id: RequestId, { result = 0 }: Served): Promise<void> {
    return this.#image.tell({ type: "asyncComplete", id, result });
  }

  #forgetOld(): void {
    const since = performance.now() - remembered;
    for (const [key, { result, ended }] of this.#served) {
      if (result !== undefined && ended < since) this.#served.delete(key);
    }
  }

  async #do(task: OwnerTask, progress?: OnProgress): Promise<number> {
    const { lock } = this.#image;
    try {
      const done = await lock!.whileOwned(() => carryOut(this.#image, task, progress));
      return done ? 0 : restart;
    } catch (error) {
      return errnoOf(error);
    }
  }
}

function tellProgress(
  progress: OnProgress | undefined,
  { offset, total }: { offset: number; total: number },
): void {
  try {
    progress?.(offset, total);
  } catch (error) {
    throwUnowned(error);
  }
}

function answer(result: number | undefined): Uint8Array | undefined {
  return result === undefined ? undefined : encodeResponse(result);
}

function refused({ header }: RequestedImage, { type }: OwnerTask, errno: number): RbdError {
  const name = errnoName(errno) ?? `error ${-errno}`;
  const message = `the owner of image ${header.name}'s lock could not carry out ${type} (${name})`;
  return new RbdError("SIPHON_RBD_REFUSED", message, { errno });
}

/** Milliseconds for which results are kept: longer than a client may repeat its request. */
const remembered = 300_000;
/** The lock's owner has changed. */
const restart = -errno.ERESTART;
const transient: ReadonlySet<number> = new Set([restart, -errno.ETIMEDOUT]);
/** Maximum number of kept results. */
const busy = -errno.EBUSY;
const mostTasks = 64;
const notSupported = -errno.EOPNOTSUPP;
const retryDelay = 1_000;
