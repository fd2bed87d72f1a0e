import type { Cluster, Pool } from "@siphon/rados";
import type { OpenOptions } from "../../../rbd/src/image/open-options.ts";
import { Image } from "../../../rbd/src/image.ts";
import { errorOf } from "../../../rbd/src/workers/plain-error.ts";
import { cutWhileWanted, type IoAnswer, type IoCall, type IoName } from "./io-in-worker.ts";

/**
 * Until disposed of, gives this many workers to each image that this process opens. Each call that returns a Promise goes to another
 * worker, so campaigns and tests that know nothing of workers test them. Images with a cache, and images of clients with streams of
 * their own, are not changed.
 */
export function goThroughWorkers(count: number): Disposable {
  const cutting = cutWhileWanted(workerCuts.memory);
  const open = Image.open;
  Image.open = async (cluster: Cluster, pool: Pool, id: string, name: string, options: OpenOptions = {}) => {
    const hasCache = options.cache || cluster.setting("rbd_cache") === "true";
    if (hasCache || options.workers !== undefined || !canHaveWorkers(cluster)) {
      return open.call(Image, cluster, pool, id, name, options);
    }
    const image = await open.call(Image, cluster, pool, id, name, { ...options, workers: count });
    new WorkedImage(image);
    return image;
  };
  return {
    [Symbol.dispose]() {
      Image.open = open;
      clearInterval(cutting);
    },
  };
}

/** Breaks connections of this thread and of workers at random places, while `active`. */
export const workerCuts = {
  memory: new Int32Array(new SharedArrayBuffer(8)),
  get active() {
    return Atomics.load(this.memory, 0) === 1;
  },
  set active(active: boolean) {
    Atomics.store(this.memory, 0, active ? 1 : 0);
  },
  get cuts() {
    return Atomics.load(this.memory, 1);
  },
};

function canHaveWorkers(cluster: Cluster): boolean {
  try {
    cluster.fencedOptions();
    return true;
  } catch {
    return false;
  }
}

/** Bytes of an image that are being written. */
interface Writing {
  readonly start: number;
  readonly end: number;
  /** The worker; undefined while the write waits for earlier ones. */
  index: number | undefined;
  readonly done: Promise<unknown>;
}

/**
 * An image whose methods run in workers. A client may have several writes to the same bytes in flight and rely on their order, which
 * different workers do not preserve. Such writes go to the same worker, or wait.
 */
class WorkedImage {
  readonly #image: Image;
  readonly #tell: (index: number, message: IoCall) => void;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #counters: { copyUps: number; parentReads: number }[] = [];
  readonly #writing = new Set<Writing>();
  #last = 0;
  #ended: unknown;

  constructor(image: Image) {
    this.#image = image;
    const module = new URL("./io-in-worker.ts", import.meta.url);
    const onMessage = (answer: unknown, index: number) => this.#answered(answer as IoAnswer, index);
    const run = image.workers!.start(module, workerCuts.memory, { onMessage });
    this.#tell = run.tell;
    run.ended.catch((error) => {
      this.#ended = error;
      for (const call of this.#calls.values()) call.reject(error);
    });
    const close = image.close.bind(image);
    const own = {
      read: async (offset: number, length: number) =>
        Buffer.from((await this.#call(this.#any(), "read", offset, length)) as Uint8Array),
      write: (offset: number, bytes: Uint8Array) =>
        this.#change(offset, bytes.length, "write", offset, bytes),
      discard: (offset: number, length: number) => this.#change(offset, length, "discard", offset, length),
      writeZeroes: (offset: number, length: number) =>
        this.#change(offset, length, "writeZeroes", offset, length),
      writeSame: (offset: number, length: number, pattern: Uint8Array) =>
        this.#change(offset, length, "writeSame", offset, length, pattern),
      compareAndWrite: (offset: number, expected: Uint8Array, bytes: Uint8Array) =>
        this.#change(offset, bytes.length, "compareAndWrite", offset, expected, bytes),
      flush: async () => {
        await Promise.all(Array.from({ length: image.workers!.count }, (_, at) => this.#call(at, "flush")));
      },
    };
    for (const [name, ours] of Object.entries(own)) {
      const plain = (image[name as IoName] as (...args: unknown[]) => unknown).bind(image);
      const method = (...args: unknown[]) =>
        typeof args[0] === "object" ? plain(...args) : (ours as (...args: unknown[]) => unknown)(...args);
      Object.defineProperty(image, name, { value: method });
    }
    const counters = () => this.#summed();
    Object.defineProperty(image, "counters", { get: counters });
    Object.defineProperty(image, "close", {
      value: async () => {
        await Promise.allSettled([...this.#calls.values()].map(({ promise }) => promise));
        await close();
      },
    });
  }

  #any(): number {
    return Math.floor(Math.random() * this.#image.workers!.count);
  }

  #change(offset: number, length: number, name: IoName, ...args: unknown[]): Promise<unknown> {
    const [start, end] = [offset, offset + length];
    const before = [...this.#writing].filter((each) => each.start < end && start < each.end);
    const [first] = before;
    const index = first === undefined ? this.#any() : first.index;
    const isSame = before.every((each) => each.index === index);
    const carriedOut =
      isSame && index !== undefined
        ? this.#call(index, name, ...args)
        : Promise.allSettled(before.map(({ done }) => done)).then(() => {
            writing.index = this.#any();
            return this.#call(writing.index, name, ...args);
          });
    const writing: Writing = { start, end, index: isSame ? index : undefined, done: carriedOut };
    this.#writing.add(writing);
    const forget = () => this.#writing.delete(writing);
    carriedOut.then(forget, forget);
    return carriedOut;
  }

  #call(index: number, name: IoName, ...args: unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = ++this.#last;
    const call = Promise.withResolvers<unknown>();
    this.#calls.set(id, call);
    this.#tell(index, { id, name, args });
    return call.promise;
  }

  #answered({ id, counters, ...answer }: IoAnswer, index: number): void {
    this.#counters[index] = counters;
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (answer.error === undefined) call?.resolve(answer.value);
    else call?.reject(errorOf(answer.error));
  }

  #summed(): { copyUps: number; parentReads: number } {
    const sum = (key: "copyUps" | "parentReads") =>
      this.#counters.reduce((all, each) => all + (each?.[key] ?? 0), 0);
    return { copyUps: sum("copyUps"), parentReads: sum("parentReads") };
  }
}
