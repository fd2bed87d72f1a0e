import { Cluster } from "@siphon/rados";
import { ImageLoad, ImagePool } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import type { LoadAnswer, LoadRequest } from "./load-process.ts";

/**
 * The program of `runLoad`: siphon's client puts a load on an image, in a process of its own, so that the process's CPU
 * is the client's.
 */
const orphaned = new AbortController();
process.once("disconnect", () => orphaned.abort(new Error("whoever started this process is gone")));
process.once("message", (request: LoadRequest) => {
  const end = () => process.connected && process.disconnect();
  void answer(request).then((last) => process.connected && process.send!(last, end));
});

async function answer(request: LoadRequest): Promise<LoadAnswer> {
  try {
    return { done: "ended", figures: await measure(request) };
  } catch (error) {
    if (!(error instanceof SiphonError)) return { failed: String(error) };
    const { message, hint } = error;
    return { failed: message, ...(hint !== undefined && { hint }) };
  }
}

async function measure({ disk, load, size, warmup }: LoadRequest) {
  const { conf, user, pool, namespace = "", image: name } = disk;
  const { signal } = orphaned;
  await using cluster = await Cluster.connect({ conf, name: `client.${user}`, env: {}, signal });
  const images = await ImagePool.open(cluster, pool, { namespace });
  await using image = await images.open(name, { readOnly: load.type === "read" });
  const part = {
    size: Math.min(size ?? image.size, image.size),
    read: image.read.bind(image),
    write: image.write.bind(image),
  };
  const run = (seconds: number) => new ImageLoad(part, { ...load, seconds, signal }).run();
  if (warmup > 0) await run(warmup);
  process.send!({ done: "warm" } satisfies LoadAnswer);
  const { seconds, requests, bytes, latency } = await run(load.seconds);
  const at = (percentile: number) => latency.percentile(percentile) / 1000;
  return {
    ...{ seconds, ios: requests, iops: requests / seconds, bytesPerSecond: bytes / seconds },
    latency: { mean: latency.mean / 1000, p50: at(50), p95: at(95), p99: at(99), p999: at(99.9) },
  };
}
