import { setTimeout as sleep } from "node:timers/promises";
import { errnoName, throwUnowned } from "@siphon/rados";
import { WireError } from "@siphon/wire";
import { errnoOf, RbdError } from "../errors.ts";
import { carryOut } from "../maintenance/carry-out.ts";
import {
  decodeNotifyMessage,
  decodeResponse,
  encodeNotifyMessage,
  encodeResponse,
  type NotifyMessage,
  type RequestId,
  requestKey,
} from "../watch/notify-message.ts";
import { notice } from "./notices.ts";
import type { OpenImage } from "./open-image.ts";

/** Called as something long goes on; `done` of `total`, in whatever it counts. */
export type OnProgress = (done: number, total: number) => void;

/** What the owner of the lock does when another client asks for it. */
export type OwnerTask = Extract<
  NotifyMessage,
  {
    type:
      | "resize"
      | "flatten"
      | "sparsify"
      | "snapCreate"
      | "snapRemove"
      | "snapRename"
      | "snapProtect"
      | "snapUnprotect";
  }
>;

interface Pending {
  progress: OnProgress | undefined;
  /** Settles when there is news of it: its result, or undefined for progress. */
  news: PromiseWithResolvers<number | undefined>;
}

/**
 * Changes of an image that only the owner of its lock may make (src/librbd/ImageWatcher.cc): those that we ask the owner for, and
 * those that others ask us for.
 */
export class Requests {
  readonly #image: OpenImage;
  /** Ours that the owner is at work on. */
  readonly #pending = new Map<string, Pending>();
  /** Of others, that we are at work on. */
  readonly #serving = new Set<string>();
  readonly #closing = new AbortController();
  #last = 0n;

  constructor(image: OpenImage) {
    this.#image = image;
  }

  /** A number for something that is asked of the owner. */
  async newId(): Promise<RequestId> {
    return {
      gid: this.#image.cluster.globalId,
      handle: await this.#image.watchCookie(),
      request: ++this.#last,
    };
  }

  /** What the owner of the lock answers; undefined if nobody does. */
  async askOwner(message: NotifyMessage): Promise<number | undefined> {
    if (message.type === "unknown") return undefined;
    const { pool, headerName } = this.#image;
    const { replies } = await pool.notify(headerName, encodeNotifyMessage(message), {
      signal: this.#closing.signal,
    });
    return replies.map(({ payload }) => responseOf(payload)).find((result) => result !== undefined);
  }

  /**
   * Does something that needs the lock: here, if it is free or ours; otherwise its owner does.
   *
   * @throws RbdError SIPHON_RBD_REFUSED with the owner's errno
   */
  async perform(task: OwnerTask, progress?: OnProgress): Promise<void> {
    const image = this.#image;
    for (;;) {
      image.assertOpen();
      if (image.readOnly) {
        throw new RbdError("SIPHON_RBD_READ_ONLY", `image ${image.header.name} was opened read-only`);
      }
      const here = () => carryOut(image, task, progress);
      if (image.lock === undefined) return here();
      if (await image.lock.whileOwned(here)) return;
      const result = await this.#askForTask(task, progress);
      if (result === 0) return image.refresh();
      if (result !== undefined && !transient.has(result)) throw refused(image, task, result);
      if (result === undefined) await sleep(retryDelay, undefined, { signal: this.#closing.signal });
    }
  }

  /** Somebody notified, who may be anybody that can read the header: what is answered, which is nothing to nonsense. */
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
        await image.obeyHeader();
        return encodeResponse(0);
      case "acquiredLock":
      case "releasedLock":
        image.lock?.wake();
        // An owner who is gone will not finish what was asked of it.
        for (const { news } of this.#pending.values()) news.resolve(restart);
        return undefined;
      case "requestLock":
        return answer(image.lock?.requested());
      case "asyncProgress":
        tellProgress(this.#pending.get(requestKey(message.id))?.progress, message);
        this.#settle(message.id, undefined);
        return undefined;
      case "asyncComplete":
        this.#settle(message.id, message.result);
        return undefined;
      case "quiesce":
      case "unquiesce":
        return encodeResponse(0);
      case "unknown":
        return image.lock?.owned ? encodeResponse(notSupported) : undefined;
      default:
        return image.lock?.owned ? this.#serveTask(message) : undefined;
    }
  }

  close(): void {
    this.#closing.abort(new RbdError("SIPHON_RBD_CLOSED", `image ${this.#image.header.name} was closed`));
    for (const { news } of this.#pending.values()) news.resolve(restart);
  }

  async #askForTask(task: OwnerTask, progress: OnProgress | undefined): Promise<number | undefined> {
    if (!("id" in task) || task.id === undefined) return this.askOwner(task);
    const key = requestKey(task.id);
    const pending: Pending = { progress, news: Promise.withResolvers() };
    this.#pending.set(key, pending);
    try {
      const answered = await this.askOwner(task);
      if (answered !== 0) return answered;
      for (;;) {
        const result = await Promise.race([pending.news.promise, silence(this.#closing.signal)]);
        if (result !== undefined) return result;
        pending.news = Promise.withResolvers();
      }
    } finally {
      this.#pending.delete(key);
    }
  }

  #settle(id: RequestId, result: number | undefined): void {
    this.#pending.get(requestKey(id))?.news.resolve(result);
  }

  async #serveTask(task: OwnerTask): Promise<Uint8Array> {
    const id = "id" in task ? task.id : undefined;
    if (id === undefined) return encodeResponse(await this.#do(task));
    const key = requestKey(id);
    // Asked again because the answer was lost.
    if (!this.#serving.has(key)) {
      if (this.#serving.size >= mostTasks) return encodeResponse(busy);
      this.#serving.add(key);
      void this.#do(
        task,
        (offset, total) => void this.#image.tell({ type: "asyncProgress", id, offset, total }),
      )
        .then((result) => this.#image.tell({ type: "asyncComplete", id, result }))
        .finally(() => this.#serving.delete(key));
    }
    return encodeResponse(0);
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

/** What a watcher answered; whoever may read the header may watch it, and answer nonsense, which is no answer. */
function responseOf(payload: Buffer): number | undefined {
  try {
    return decodeResponse(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
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

function refused({ header }: OpenImage, { type }: OwnerTask, errno: number): RbdError {
  const name = errnoName(errno) ?? `error ${-errno}`;
  const message = `the owner of image ${header.name}'s lock could not carry out ${type} (${name})`;
  return new RbdError("SIPHON_RBD_REFUSED", message, { errno });
}

/** After which an owner who says nothing of what it is at work on is asked again (rbd_request_timed_out_seconds). */
async function silence(signal: AbortSignal): Promise<number> {
  await sleep(30_000, undefined, { signal, ref: false }).catch(() => {});
  return restart;
}

/** ERESTART: the lock's owner has changed; ETIMEDOUT. */
const restart = -85;
const transient = new Set([restart, -110]);
/** EBUSY: so much is asked for that no more is remembered. */
const busy = -16;
const mostTasks = 64;
/** EOPNOTSUPP. */
const notSupported = -95;
const retryDelay = 1_000;
