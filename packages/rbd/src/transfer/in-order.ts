export interface ParallelLimits {
  /** How many pieces of work are under way at most. */
  readonly concurrency: number;
  /** Bytes that all pieces in flight and not yet handed on may have; a single piece may have more. */
  readonly bytes: number;
}

/** As many operations as `rbd` has under way (rbd_concurrent_management_ops), of a whole object of 4 MiB each. */
export const defaultLimits: ParallelLimits = { concurrency: 10, bytes: 40 * 1024 * 1024 };

/**
 * Does work on items in parallel and hands the results on in the items' order. No item is taken up before there is room for
 * it, so memory is bounded however slowly the results are taken. When anything fails, or the results are no longer wanted,
 * what is under way is waited for.
 *
 * @param weigh bytes that the work on an item holds
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

/** Works in parallel, in no order, within the same limits; the next call reports the first failure. */
export class Parallel implements AsyncDisposable {
  readonly #limits: ParallelLimits;
  readonly #underWay = new Set<Promise<void>>();
  #weight = 0;
  #failure: { error: unknown } | undefined;

  constructor(limits: ParallelLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** Settles when the work has begun. */
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

  /** Settles when all that was begun has ended, also after a failure. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Settles when nothing is under way any more. */
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
