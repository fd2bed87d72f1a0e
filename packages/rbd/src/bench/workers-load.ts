import { extname } from "node:path";
import { createLatencyHistogram } from "../io/statistics.ts";
import type { ImageWorkers } from "../workers/image-workers.ts";
import type { LoadOptions, LoadProgress, LoadResult } from "./image-load.ts";

/**
 * A load like `ImageLoad`, by all workers of an image. Each makes its own requests. They divide the depth, the rate and the
 * total bytes, and for a sequential load the image, too.
 */
export class WorkersLoad {
  readonly #workers: ImageWorkers;
  readonly #options: LoadOptions;
  readonly #progress: LoadProgress[];

  /** @throws RangeError if the depth is less than the number of workers */
  constructor(workers: ImageWorkers, options: LoadOptions) {
    if (options.depth < workers.count) {
      throw new RangeError(`${options.depth} requests in flight are too few for ${workers.count} workers`);
    }
    this.#workers = workers;
    this.#options = options;
    this.#progress = Array.from({ length: workers.count }, () => ({ seconds: 0, requests: 0, bytes: 0 }));
  }

  /** The counts that the workers have reported. */
  get progress(): LoadProgress {
    return sum(this.#progress);
  }

  /** Runs the load to its end; fails with the first request that fails. */
  async run(): Promise<LoadResult> {
    const { signal, ...options } = this.#options;
    const onMessage = (progress: unknown, index: number) => {
      this.#progress[index] = progress as LoadProgress;
    };
    const run = this.#workers.run(module, options, { signal, onMessage });
    const results = (await run) as LoadResult[];
    const latency = createLatencyHistogram();
    for (const result of results) latency.add(result.latency);
    const total = (key: "reads" | "writes" | "behind") =>
      results.reduce((all, result) => all + result[key], 0);
    const [reads, writes, behind] = [total("reads"), total("writes"), total("behind")];
    return { ...sum(results), reads, writes, behind, latency };
  }
}

function sum(parts: readonly LoadProgress[]): LoadProgress {
  const total = (key: "requests" | "bytes") => parts.reduce((all, part) => all + part[key], 0);
  return {
    seconds: Math.max(...parts.map(({ seconds }) => seconds)),
    requests: total("requests"),
    bytes: total("bytes"),
  };
}

const module = new URL(`./load-part${extname(import.meta.filename)}`, import.meta.url);
