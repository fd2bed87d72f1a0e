import { Cluster } from "@siphon/rados";
import { ObjectRequest, ObjectTarget, opCode, requestFlag } from "@siphon/rados/engine";

/**
 * The load of `bench:rados`, in a separate process so that its CPU is measured alone: keeps `depth` requests at random
 * offsets of `objects` in flight. It tells its parent when the warm-up and the measured time end, and how many requests
 * were answered by then.
 */
export interface LoadOptions {
  conf: string;
  name: string;
  pool: string;
  /** Names are `PREFIX.0` and so on. */
  prefix: string;
  objects: number;
  objectSize: number;
  rw: "read" | "write";
  blockSize: number;
  depth: number;
  /** Seconds. */
  warmup: number;
  seconds: number;
}

export type LoadReport =
  | { phase: "connected"; milliseconds: number }
  | { phase: "begin"; operations: number; at: number }
  | { phase: "end"; operations: number; at: number }
  /** Median latency in microseconds; only with one request in flight. */
  | { phase: "done"; median: number };

if (process.send !== undefined) {
  process.once("message", (options) => {
    // Without a handler an error ends the process, and with it the benchmark.
    void run(options as LoadOptions);
  });
}

async function run(options: LoadOptions): Promise<void> {
  const { conf, name, prefix, objects, objectSize, blockSize, depth } = options;
  const started = performance.now();
  await using cluster = await Cluster.connect({ conf, name, env: {} });
  const pool = cluster.osdmap.poolByName(options.pool)!.id;
  const targets = Array.from({ length: objects }, (_, i) => new ObjectTarget(pool, `${prefix}.${i}`));
  const { objecter } = cluster;
  /** Latencies in milliseconds, with one request in flight. */
  const latencies: number[] | undefined = depth === 1 ? [] : undefined;
  const load = { operations: 0, stopped: false };
  const firstAnswer = Promise.withResolvers<void>();
  const blocks = objectSize / blockSize;

  class Load extends ObjectRequest {
    readonly #buffer = Buffer.alloc(blockSize, 0xa5);
    readonly #all = Promise.withResolvers<void>();
    #since = 0;

    get ended(): Promise<void> {
      return this.#all.promise;
    }

    next(): void {
      if (load.stopped) {
        this.#all.resolve();
        return;
      }
      this.target = targets[Math.floor(Math.random() * objects)]!;
      const offset = Math.floor(Math.random() * blocks) * blockSize;
      this.ops.clear();
      if (options.rw === "read") {
        this.flags = requestFlag.read;
        this.ops.addExtent(opCode.read, offset, blockSize);
      } else {
        this.flags = requestFlag.write;
        this.ops.addExtent(opCode.write, offset, blockSize, blockSize);
      }
      if (latencies !== undefined) this.#since = performance.now();
      objecter.submit(this);
    }

    fill(_: number, into: Buffer, at: number): void {
      into.set(this.#buffer, at);
    }

    output(_: number, result: number, length: number): void {
      if (options.rw === "read" && (result < 0 || length !== blockSize)) {
        throw new Error(`a read of ${this.target.name} gave ${length} bytes, result ${result}`);
      }
    }

    take(_: number, bytes: Buffer, start: number, end: number, position: number): void {
      bytes.copy(this.#buffer, position, start, end);
    }

    completed(): void {
      if (this.result < 0) throw this.error ?? new Error(`result ${this.result}`);
      if (load.operations++ === 0) firstAnswer.resolve();
      latencies?.push(performance.now() - this.#since);
      this.next();
    }
  }

  const loads = Array.from({ length: depth }, () => new Load());
  loads[0]!.next();
  await firstAnswer.promise;
  tell({ phase: "connected", milliseconds: performance.now() - started });
  for (const each of loads.slice(1)) each.next();
  await seconds(options.warmup);
  if (latencies !== undefined) latencies.length = 0;
  tell({ phase: "begin", operations: load.operations, at: performance.now() });
  await seconds(options.seconds);
  tell({ phase: "end", operations: load.operations, at: performance.now() });
  load.stopped = true;
  await Promise.all(loads.map((each) => each.ended));
  const sorted = (latencies ?? []).sort((a, b) => a - b);
  tell({ phase: "done", median: (sorted[sorted.length >> 1] ?? 0) * 1000 });
  process.disconnect();
}

function tell(report: LoadReport): void {
  process.send!(report);
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
