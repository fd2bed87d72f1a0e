import type { IoMetrics } from "../server/io-metrics.ts";
import type { Log } from "../server/log.ts";

interface WatchedDisk {
  readonly name: string;
  readonly metrics: IoMetrics;
}

/**
 * Finds disks whose requests the cluster does not answer: requests are in flight, and none completed for some seconds.
 * It checks counters once a second, so it adds no cost to a request.
 */
export class StallWatch implements Disposable {
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  readonly #seen = new Set<{ disk: WatchedDisk; done: number; since: number }>();

  constructor(log: Log) {
    this.#log = log;
    this.#timer = setInterval(() => this.look(), lookEvery).unref();
  }

  /** Watches a disk until the result is disposed of. */
  watch(disk: WatchedDisk): Disposable {
    const seen = { disk, done: 0, since: performance.now() };
    this.#seen.add(seen);
    return { [Symbol.dispose]: () => void this.#seen.delete(seen) };
  }

  look(): void {
    const now = performance.now();
    for (const seen of this.#seen) {
      const { name, metrics } = seen.disk;
      const done = metrics.operations.reduce((sum, each) => sum + each, 0);
      if (done !== seen.done || metrics.inFlight <= metrics.inLimits) {
        if (metrics.state === "waiting") {
          metrics.state = "serving";
          const seconds = Math.round((now - seen.since) / 1000);
          this.#log(`${name}: the cluster answers again, after ${seconds} s`, {
            event: "answered",
            image: name,
          });
        }
        seen.done = done;
        seen.since = now;
      } else if (metrics.state === "serving" && now - seen.since >= patience) {
        metrics.state = "waiting";
        const seconds = Math.round((now - seen.since) / 1000);
        this.#log(`${name}: the cluster has not answered for ${seconds} s; the VM waits`, {
          event: "waiting",
          image: name,
        });
      }
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Milliseconds. */
const lookEvery = 1000;
const patience = 5000;
