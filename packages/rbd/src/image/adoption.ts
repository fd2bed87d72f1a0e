import { throwUnowned } from "@siphon/rados/engine";
import { SiphonError } from "@siphon/wire";
import type { ImageIo } from "../io/image-io.ts";
import { type Perseverance, persevere } from "../persevere.ts";

export interface AdoptionHost extends Perseverance {
  /** Reads the header, and optionally the object map, and applies them. */
  read(withMap: boolean): Promise<void>;
  /** Whether an error is final: then writes never resume. */
  isFinal(error: unknown): boolean;
  /** It was read, and writes resume. */
  current(): void;
}

/**
 * Writes must follow the stored header and object map. A change of them may fail or get no answer; then it is unknown
 * which state was stored. So both are read before writes resume, and writes wait until that succeeds. An OSD executes
 * requests on one object in order, so the state read is never older than a change without an answer.
 */
export class Adoption {
  readonly #io: Pick<ImageIo, "pauseWrites" | "resumeWrites">;
  readonly #host: AdoptionHost;
  #settled: Promise<void> | undefined;

  constructor(io: Pick<ImageIo, "pauseWrites" | "resumeWrites">, host: AdoptionHost) {
    this.#io = io;
    this.#host = host;
  }

  /** Resolves when no read is in progress, whatever its result. */
  get settled(): Promise<void> {
    return this.#settled ?? Promise.resolve();
  }

  /** Makes a change while no write is in flight; writes resume when its outcome is known. */
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

  /** Another client changed the header: writes that begin after this follow the new one. */
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
