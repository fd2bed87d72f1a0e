import type { MessagePort } from "node:worker_threads";
import type { Cluster } from "@siphon/rados";
import { ImageIo } from "../io/image-io.ts";
import { Presence } from "../io/presence.ts";
import { ObjectMap } from "../object-map/object-map.ts";
import { ObjectStates } from "../object-map/object-states.ts";
import { Channel } from "./channel.ts";
import type { ImageCopy, LayerCopy, Opening, ToOwner, ToWorker } from "./messages.ts";
import { errorOf } from "./plain-error.ts";
import { TrackedIo } from "./tracked-io.ts";
import { WorkerObjectMap } from "./worker-object-map.ts";

/** The services that the worker's side of an image needs from its thread. */
export interface WorkerThread {
  readonly objecter: Pick<Cluster["objecter"], "submit">;
  /** Runs a function of a module with the image, for the owner. */
  run(message: Extract<ToWorker, { type: "run" }>, io: ImageIo): Promise<unknown>;
  abort(run: number, error: Error): void;
  /** Passes a message of the owner to the function of a run. */
  tell(run: number, message: unknown): void;
  end(): void;
}

/** The I/O of one worker, with copies of the owner's state. */
export class WorkerSide {
  readonly owner: Channel<ToWorker, ToOwner>;
  readonly #thread: WorkerThread;
  #io: TrackedIo | undefined;
  #owned = false;
  #parents = -1;

  constructor(port: MessagePort, thread: WorkerThread) {
    this.#thread = thread;
    this.owner = new Channel(port, (message: ToWorker) => this.#handle(message));
  }

  #handle(message: ToWorker): unknown {
    if (message.type === "open") {
      this.#open(message.opening);
      return undefined;
    }
    if (message.type === "end") {
      this.#thread.end();
      return undefined;
    }
    const io = this.#io!;
    switch (message.type) {
      case "follow":
        this.#adopt(message.copy);
        return undefined;
      case "pause":
        return io.pauseWrites();
      case "resume":
        this.#adopt(message.copy);
        return io.resumeWrites();
      case "own":
        this.#owned = message.owned;
        io.setOwner(message.owned);
        return undefined;
      case "settle":
        return io.settled();
      case "fail":
        io.failWrites(errorOf(message.error));
        return undefined;
      case "run":
        return this.#thread.run(message, io);
      case "abort":
        this.#thread.abort(message.run, errorOf(message.error));
        return undefined;
      case "ask":
        return undefined;
      case "tell":
        this.#thread.tell(message.run, message.message);
        return undefined;
    }
  }

  #open({ copy, snapId, readOnly, hasPresence, limits, tuning, pauses, owned }: Opening): void {
    const { owner } = this;
    const io = new TrackedIo({
      ...{ objecter: this.#thread.objecter, state: copy.state, snapId, readOnly },
      ...(!readOnly && { ensureOwner: () => this.#ensureOwner() }),
      ...(hasPresence && { presence: this.#presence(0) }),
      renew: async () => void (await owner.call({ type: "renew" })),
      ...(limits && { limits }),
      tuning,
    });
    io.beforeCopyUps = async () => void (await owner.call({ type: "mayCopyUp" }));
    for (const what of ["read", "write"] as const) io.due[what] = 0;
    io.onDue = (what) => {
      // The owner updates the timestamps; it only needs to hear periodically of reads and writes here.
      io.due[what] = performance.now() + dueInterval;
      owner.tell({ type: "due", what });
    };
    this.#io = io;
    for (let pause = 0; pause < pauses; pause++) void io.pauseWrites();
    this.#owned = owned;
    io.setOwner(owned);
    this.#adopt(copy);
  }

  /** Makes the owner acquire the lock; it may be lost again before the answer is handled. */
  async #ensureOwner(): Promise<void> {
    do await this.owner.call({ type: "own" });
    while (!this.#owned);
  }

  #adopt({ state, endsAt, map, parents }: ImageCopy): void {
    const io = this.#io!;
    io.endAt(endsAt);
    const same = parents.number === this.#parents;
    this.#parents = parents.number;
    void io.follow(state, same ? io.parent : this.#openParents(parents.layers));
    const known = io.objectMap;
    if (map === undefined) io.useMap(undefined);
    else if (!(known instanceof WorkerObjectMap && known.number === map.number)) {
      io.useMap(new WorkerObjectMap(this.#mapOptions(state, map.states), map.number, this.owner));
    }
  }

  #openParents(layers: readonly LayerCopy[]): ImageIo | undefined {
    return layers.reduceRight<ImageIo | undefined>((parent, { state, snapId, tuning, map }, index) => {
      const { objecter } = this.#thread;
      const io = new ImageIo({ objecter, state, snapId, presence: this.#presence(index + 1), tuning });
      io.objectMap = map && new ObjectMap(this.#mapOptions(state, map));
      io.parent = parent;
      return io;
    }, undefined);
  }

  #mapOptions(state: ImageCopy["state"], states: LayerCopy["map"] & {}) {
    const { id: imageId, poolId, namespace } = state;
    const { objecter } = this.#thread;
    return {
      objecter,
      poolId,
      namespace,
      imageId,
      states: ObjectStates.over(states),
      onInvalid: async () => {},
    };
  }

  #presence(depth: number): Presence {
    const parents = this.#parents;
    return new Presence(async () => {
      await this.owner.call({ type: "present", parents, depth });
    });
  }
}

/** Milliseconds between two messages about reads or writes. */
const dueInterval = 60_000;
