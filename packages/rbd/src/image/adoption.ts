import { setTimeout as sleep } from "node:timers/promises";
import type { ImageIo } from "../io/image-io.ts";

export interface AdoptionHost {
  /** Reads the header, and obeys it; the object map as well, if that is asked for. */
  read(withMap: boolean): Promise<void>;
  /** Whether it is no use to try again: then no write goes on any more. */
  isFinal(error: unknown): boolean;
  /** Writes wait, since it could not be read; or it was read at last. */
  notice(event: "stale" | "current", error?: Error): void;
  /** Aborted when the image is closed. */
  readonly signal: AbortSignal;
}

/**
 * Writes go on only by what the header says, and the object map. Whoever changes one of them may fail on the way, or get no answer, and
 * then nobody knows which state was stored: so it is read before writes go on, and until it can be, they are held back. An OSD carries
 * requests about one object out in their order: what is read is never older than a change that had no answer.
 */
export class Adoption {
  readonly #io: Pick<ImageIo, "pauseWrites" | "resumeWrites">;
  readonly #host: AdoptionHost;
  #settled: Promise<void> | undefined;

  constructor(io: Pick<ImageIo, "pauseWrites" | "resumeWrites">, host: AdoptionHost) {
    this.#io = io;
    this.#host = host;
  }

  /** Fulfilled when nothing is being read, for better or worse. */
  get settled(): Promise<void> {
    return this.#settled ?? Promise.resolve();
  }

  /** Changes something while no write is under way; writes go on when it is known what came of it. */
  async whilePaused(change: () => Promise<void>): Promise<void> {
    await this.#io.pauseWrites();
    try {
      await change();
    } catch (error) {
      this.#goOn(true).catch(() => {});
      throw error;
    }
    await this.#goOn(false);
  }

  /** Somebody else changed the header: writes that are begun after this go by what it says now. */
  async follow(): Promise<void> {
    const drained = this.#io.pauseWrites();
    await this.#goOn(false);
    await drained;
  }

  #goOn(withMap: boolean): Promise<void> {
    const current = this.#untilRead(withMap).finally(() => this.#io.resumeWrites());
    const settled = Promise.allSettled([this.#settled, current]).then(() => {
      if (this.#settled === settled) this.#settled = undefined;
    });
    this.#settled = settled;
    return current;
  }

  async #untilRead(withMap: boolean): Promise<void> {
    const { signal } = this.#host;
    for (let tries = 0; ; tries++) {
      try {
        await this.#host.read(withMap);
        if (tries > 0) this.#host.notice("current");
        return;
      } catch (error) {
        if (this.#host.isFinal(error)) throw error;
        if (tries === 0) this.#host.notice("stale", error as Error);
        await sleep(Math.min(100 * 2 ** tries, longest), undefined, { signal }).catch(() => {});
      }
    }
  }
}

/** Milliseconds between attempts, which grow up to this. */
const longest = 5_000;
