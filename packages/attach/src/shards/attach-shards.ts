import type { AttachRequest } from "../server/attach-images.ts";
import type { Attachment, Measurement, ServedPoint } from "../server/attachment.ts";
import { formatImageSpec } from "../server/image-spec.ts";
import { IoMetrics } from "../server/io-metrics.ts";
import type { Log } from "../server/log.ts";
import type { ShardJob } from "./messages.ts";
import { Shard } from "./shard.ts";
import { spread } from "./spread.ts";
import { stopAll } from "./stop-all.ts";

export interface ShardOptions extends Omit<ShardJob, "request"> {
  request: AttachRequest;
  shards: number;
  /** Seconds without an answer after which a shard counts as hung and is replaced. */
  hangAfter: number;
  /** Called with a line for each change of a shard's state. */
  log: Log;
  /** Aborts the start. */
  signal?: AbortSignal;
}

/**
 * Serves images from several processes, each with its own event loop and client. A process that dies is restarted and
 * serves the same images at the same sockets; the others are not affected. All end in order when this process is gone.
 *
 * If it fails, it cleans up everything. Throws the errors of images and sockets, and SIPHON_USAGE for a request that
 * cannot be split.
 */
export async function attachShards(options: ShardOptions): Promise<Attachment> {
  const { cluster, drainTimeout, logFormat, request, hangAfter, log, signal } = options;
  const shards = spread(request, options.shards).map(
    (part, i) => new Shard(i + 1, { cluster, drainTimeout, logFormat, request: part }, log, hangAfter),
  );
  const stop = () => Promise.allSettled(shards.map((shard) => shard.stop()));
  signal?.throwIfAborted();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const points = await Promise.all(shards.map((shard) => shard.start()));
    signal?.throwIfAborted();
    return new ShardedAttachment(shards, points.flat(), request.images.map(formatImageSpec));
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

class ShardedAttachment implements Attachment {
  readonly points: readonly ServedPoint[];
  readonly #shards: readonly Shard[];
  /** Names of the images, in the order they were given. */
  readonly #names: readonly string[];
  #drained: Promise<void> | undefined;

  constructor(shards: readonly Shard[], points: readonly ServedPoint[], names: readonly string[]) {
    this.#shards = shards;
    this.#names = names;
    this.points = points.toSorted(
      (a, b) => a.point.kind.localeCompare(b.point.kind) || names.indexOf(a.image) - names.indexOf(b.image),
    );
  }

  async measure(): Promise<Measurement> {
    const figures = (await Promise.all(this.#shards.map((shard) => shard.measure()))).flat();
    const disks = figures.map(({ name, size, io }) => ({ name, size, metrics: new IoMetrics(io) }));
    disks.sort((a, b) => this.#names.indexOf(a.name) - this.#names.indexOf(b.name));
    return { disks, shards: this.#shards.map(({ state }) => state) };
  }

  drain(): Promise<void> {
    this.#drained ??= stopAll(this.#shards);
    return this.#drained;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }
}
