import type { MessagePort } from "node:worker_threads";
import { NO_SNAP } from "@siphon/rados";
import { RbdError } from "../errors.ts";
import type { IoLimits } from "../io/admission.ts";
import { staleError } from "../io/presence.ts";
import type { MapWaiter } from "../object-map/object-map.ts";
import { Channel } from "./channel.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { ToOwner, ToWorker, UpdateAnswer } from "./messages.ts";
import type { Follower, OwnerIo } from "./owner-io.ts";
import { errorOf, plainError } from "./plain-error.ts";

/** The open image that workers serve. */
export interface WorkedImage {
  readonly header: { readonly name: string };
  readonly lock: { readonly owned: boolean } | undefined;
  ensureOwner(): Promise<void>;
  renewParents(): Promise<void>;
  /** A worker has ended unexpectedly. Calls that wait for its answers fail afterwards. */
  workerDied(error: RbdError): void | Promise<void>;
}

export interface WorkerOptions {
  readonly limits?: IoLimits | undefined;
  readonly workerTimeout?: number | undefined;
}

/** The owner's side of one worker: answers the worker's calls, and passes on every change. */
export class WorkerLink implements Follower {
  /** Resolves when the worker has connected to the cluster and has the image; rejects if it cannot. */
  readonly opened: Promise<void>;
  /** Message handlers of functions that run in the worker, by number. */
  readonly listeners = new Map<number, (message: unknown) => void>();
  readonly #channel: Channel<ToOwner, ToWorker>;
  readonly #image: WorkedImage;
  readonly #io: OwnerIo;
  readonly #options: WorkerOptions;
  readonly #opened = Promise.withResolvers<void>();
  #heartbeat: Heartbeat | undefined;
  #isOpen = false;
  #gone = false;

  constructor(port: MessagePort, image: WorkedImage, io: OwnerIo, options: WorkerOptions) {
    this.#image = image;
    this.#io = io;
    this.#options = options;
    this.opened = this.#opened.promise;
    this.opened.catch(() => {});
    this.#channel = new Channel(port, (message: ToOwner) => this.#handle(message));
  }

  tell(message: ToWorker): void {
    this.#channel.tell(message);
  }

  async call(message: ToWorker): Promise<void> {
    try {
      await this.#channel.call(message);
    } catch (error) {
      this.died(error as Error);
    }
  }

  /** Runs a function in the worker; rejects with its error. */
  run(message: ToWorker): Promise<unknown> {
    return this.#channel.call(message);
  }

  /** The worker is gone or failed to apply a change: the image must end. */
  died(cause: Error): void {
    if (this.#gone) return;
    const error = new RbdError(
      "SIPHON_RBD_WORKER",
      `a worker of image ${this.#image.header.name} ended: ${cause.message}`,
      {
        cause,
      },
    );
    this.#leave();
    this.#opened.reject(error);
    const dealtWith = this.#isOpen ? this.#image.workerDied(error) : undefined;
    void Promise.resolve(dealtWith).then(() => this.#channel.end(error));
  }

  /** Expects nothing more of the worker. */
  end(error: Error): void {
    this.#leave();
    this.#channel.end(error);
  }

  #leave(): void {
    this.#gone = true;
    this.#heartbeat?.[Symbol.dispose]();
    this.#io.leave(this);
  }

  #handle(message: ToOwner): unknown {
    const io = this.#io;
    switch (message.type) {
      case "connected":
        this.#open();
        return undefined;
      case "refused":
        this.#gone = true;
        this.#opened.reject(errorOf(message.error));
        return undefined;
      case "own":
        return this.#own();
      case "update":
        return this.#update(message);
      case "renew":
        return this.#image.renewParents();
      case "mayCopyUp":
        return io.beforeCopyUps?.();
      case "present":
        return this.#confirm(message.parents, message.depth);
      case "due":
        if (performance.now() >= io.due[message.what]) io.onDue(message.what);
        return undefined;
      case "told":
        this.listeners.get(message.run)?.(message.message);
        return undefined;
    }
  }

  #open(): void {
    const io = this.#io;
    const { snapId, readOnly, presence, tuning } = io;
    const { limits } = this.#options;
    const owned = snapId === NO_SNAP && !readOnly && io.isExclusive;
    this.tell({
      type: "open",
      opening: {
        ...{ ...io.join(this), snapId, readOnly, hasPresence: presence !== undefined, owned },
        ...{ limits, tuning },
      },
    });
    this.#isOpen = true;
    this.#heartbeat = this.#watch(this.#options.workerTimeout ?? 30);
    this.#opened.resolve();
  }

  /** Begins when the worker is open, because loading takes long. */
  #watch(seconds: number): Heartbeat {
    const heart: Heartbeat = new Heartbeat({
      seconds,
      ask: () => void this.#channel.call({ type: "ask" }).then(() => heart.answered(), ignored),
      hung: () => this.died(new WorkerHang(`it did not answer for ${seconds} s`)),
    });
    return heart;
  }

  /** If the lock is about to be released again, the worker was not told of it, and asks again. */
  async #own(): Promise<void> {
    const image = this.#image;
    await image.ensureOwner();
    if (image.lock === undefined || image.lock.owned) this.tell({ type: "own", owned: true });
  }

  #update(message: Extract<ToOwner, { type: "update" }>): UpdateAnswer | Promise<UpdateAnswer> {
    const { objectMap } = this.#io;
    const { objectNumber, state, current, snapId } = message;
    if (objectMap === undefined) return done;
    const { promise, resolve } = Promise.withResolvers<UpdateAnswer>();
    const waiter: MapWaiter = {
      mapUpdated: (result, error) => resolve({ result, error: error && plainError(error) }),
    };
    if (snapId !== undefined) objectMap.updateSnapshot(snapId, objectNumber, state, waiter);
    else if (!objectMap.update(objectNumber, state, current, waiter)) return done;
    return promise;
  }

  async #confirm(parents: number, depth: number): Promise<void> {
    const presence = this.#io.layer(parents, depth)?.presence;
    if (presence === undefined) throw staleError(`the parent of image ${this.#image.header.name}`);
    await presence.check();
  }
}

/** The failure of a worker that no longer answers; perhaps it cannot be ended. */
export class WorkerHang extends Error {}

/** The end of a worker without an answer is reported elsewhere. */
const ignored = () => {};
const done: UpdateAnswer = { result: 0, error: undefined };
