import { setTimeout as sleep } from "node:timers/promises";
import { FrontEnd } from "../test/support/front-end.ts";
import { loadMemory, RingLoad, type RingLoadOptions } from "./ring-load.ts";
import { hasTcmalloc, type Served, type Serving, serveQemu, serveSiphon } from "./servers.ts";

export interface Sample {
  iops: number;
  /** CPU microseconds of the serving process, an operation. */
  cpu: number;
  /** Microseconds of the 99th of a hundred operations. */
  p99: number;
}

export const vhostServers = {
  siphon: (served) => serveSiphon(served, "vhost"),
  "qemu-storage-daemon": (served) => serveQemu(served, false),
  ...(hasTcmalloc && { "qemu-storage-daemon tuned": (served: Served) => serveQemu(served, true) }),
} satisfies Record<string, (served: Served) => Promise<Serving>>;

/** Serves the image and measures each load on it, one after another. */
export async function measureVhost(
  serve: (served: Served) => Promise<Serving>,
  served: Served,
  loads: readonly RingLoadOptions[],
  { warmup, seconds }: { warmup: number; seconds: number },
): Promise<Sample[]> {
  await using serving = await serve(served);
  const samples: Sample[] = [];
  for (const load of loads) {
    using frontEnd = await FrontEnd.connect(served.socket, { memoryBytes: loadMemory(load, 1) });
    const running = new RingLoad(frontEnd, load);
    await sleep(warmup * 1000);
    running.reset();
    const [cpu, begun] = [serving.cpuSeconds(), performance.now()];
    await sleep(seconds * 1000);
    const { requests } = running;
    const spent = serving.cpuSeconds() - cpu;
    const elapsed = (performance.now() - begun) / 1000;
    if (requests === 0 || running.errors > 0) {
      throw new Error(`${requests} requests were answered, ${running.errors} of them with errors`);
    }
    samples.push({
      iops: requests / elapsed,
      cpu: (spent * 1e6) / requests,
      p99: running.latency.percentile(99) / 1000,
    });
    await running.stop();
  }
  return samples;
}
