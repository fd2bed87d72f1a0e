import { throwUnowned } from "@siphon/rados/engine";
import { SiphonError } from "@siphon/wire";
import type { ImageIo } from "../io/image-io.ts";
import { type Perseverance, persevere } from "../persevere.ts";

export interface AdoptionHost extends Perseverance {
  /** Reads the header, and obeys it; the object map as well, if that is requested. */
  read(withMap: boolean): Promise<void>;
  /** Whether it is no use to try again: then no write goes on any more. */
  isFinal(error: unknown): boolean;
  /** It was read, and writes go on. */
  current(): void;
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
      this.#goOn(true).catch(unlessKnown);
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
    await persevere(() => this.#host.read(withMap), this.#host);
    this.#host.current();
  }
}

/** Swallows errors of the cluster, because the caller gets the reason why its change failed. A fault of this program has no other receiver. */
function unlessKnown(error: unknown): void {
  if (!(error instanceof SiphonError)) throwUnowned(error);
}
