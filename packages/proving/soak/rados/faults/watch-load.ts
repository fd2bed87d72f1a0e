import type { NotifyAnswers, Pool, RadosError, Watch } from "@siphon/rados";
import { Violation } from "./block-history.ts";
import { pause } from "./faults.ts";

/**
 * Watches an object, sends notifies repeatedly, and watches again after a lost watch. Every watcher listed as having
 * acknowledged must have received the notify, and its reply must belong to this notify.
 */
export class WatchLoad {
  readonly counts = { notifies: 0, missed: 0, watchesLost: 0 };
  readonly #pool: Pool;
  /** Numbers of the received notifies. */
  readonly #heard = new Set<number>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#pool.writeFull(object, Buffer.from("watched"));
    while (!signal.aborted) {
      const lost = Promise.withResolvers<RadosError>();
      await using watch = await this.#pool.watch(object, {
        notified: (payload) => {
          this.#heard.add(payload.readUInt32LE());
          return payload;
        },
        lost: lost.resolve,
      });
      const isLost = lost.promise.then(() => true);
      while (!signal.aborted && !(await Promise.race([isLost, this.#notify(watch)])));
      if (!signal.aborted) this.counts.watchesLost++;
    }
  }

  async #notify(watch: Watch): Promise<false> {
    const number = this.counts.notifies++;
    const payload = Buffer.alloc(4);
    payload.writeUInt32LE(number);
    const answers = await this.#pool.notify(object, payload, { timeout: 3_000 });
    this.#check(answers, watch, number);
    await pause(50);
    return false;
  }

  #check({ replies, missed }: NotifyAnswers, watch: Watch, number: number): void {
    const reply = replies.find(({ cookie }) => cookie === watch.cookie);
    if (reply === undefined) {
      this.counts.missed += missed.length;
      return;
    }
    const echoed = reply.payload.readUInt32LE();
    if (echoed !== number || !this.#heard.has(number)) {
      throw new Violation(
        "alien",
        `notify ${number} was answered with ${echoed}, and heard: ${this.#heard.has(number)}`,
      );
    }
  }
}

const object = "bell";
