export interface ParallelLimits {
  /** Maximum number of items in flight. */
  readonly concurrency: number;
  /** Maximum bytes of items in flight or not yet delivered; a single item may exceed it. */
  readonly bytes: number;
}

/** As many operations as `rbd` has in flight (rbd_concurrent_management_ops), each of an object of 4 MiB. */
export const defaultLimits: ParallelLimits = { concurrency: 10, bytes: 40 * 1024 * 1024 };

/**
 * Processes items in parallel and delivers the results in order. An item starts only when there is room for it, so
 * memory is bounded even if results are taken slowly. After a failure, or when the consumer stops, it waits for the
 * items in flight.
 *
 * @param weigh bytes that an item holds
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  work: (item: Item) => Promise<Result>,
  weigh: (item: Item) => number = () => 0,
  limits: ParallelLimits = defaultLimits,
): AsyncGenerator<Result, void, undefined> {
  const underWay: { result: Promise<Result>; weight: number }[] = [];
  let weight = 0;
  const oldest = async () => {
    const { result, weight: freed } = underWay[0]!;
    const value = await result;
    underWay.shift();
    weight -= freed;
    return value;
  };
  try {
    for await (const item of items) {
      const added = weigh(item);
      while (
        underWay.length >= limits.concurrency ||
        (underWay.length > 0 && weight + added > limits.bytes)
      ) {
        yield await oldest();
      }
      const result = work(item);
      result.catch(() => {});
      underWay.push({ result, weight: added });
      weight += added;
    }
    while (underWay.length > 0) yield await oldest();
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result));
  }
}

/** Processes items in parallel, unordered, within the same limits; the next call reports the first failure. */
export class Parallel implements AsyncDisposable {
  readonly #limits: ParallelLimits;
  readonly #underWay = new Set<Promise<void>>();
  #weight = 0;
  #failure: { error: unknown } | undefined;

  constructor(limits: ParallelLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** Settles when the item has started. */
  async start(weight: number, work: () => Promise<void>): Promise<void> {
    while (
      this.#failure === undefined &&
      (this.#underWay.size >= this.#limits.concurrency ||
        (this.#underWay.size > 0 && this.#weight + weight > this.#limits.bytes))
    ) {
      await Promise.race(this.#underWay);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#weight += weight;
    const done = this.#run(weight, work).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  /** Settles when all started items have ended, even after a failure. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Settles when nothing is in flight. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #run(weight: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#weight -= weight;
    }
  }
}
