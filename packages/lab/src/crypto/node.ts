import { randomBytes } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { GcmFill } from "@siphon/rados/engine";
import type { Direction } from "./results.ts";

/** Memory that is worked on at a time; about a processor's second-level cache. */
const batchBytes = 1 << 20;
const mostFrames = 1024;

export interface NodeSpeedOptions {
  fill: GcmFill;
  /** Bytes of each frame, without its tag. */
  size: number;
  /** CPU seconds for each direction, at least. */
  seconds: number;
  signal?: AbortSignal;
}

/**
 * Speed of siphon's own messenger code in this process: whole frames, each with its nonce and a tag that is checked.
 * Bytes per second of CPU time.
 *
 * @throws where koffi does not load and the fill is "evp"
 */
export async function nodeSpeed({
  fill,
  size,
  seconds,
  signal,
}: NodeSpeedOptions): Promise<Record<Direction, number>> {
  // Loaded here, since most commands of siphon need no messenger.
  const { createGcm, gcmTagBytes, Region } = await import("@siphon/rados/engine");
  const [key, nonce] = [randomBytes(16), randomBytes(12)];
  using streams = new DisposableStack();
  const [seal, open] = (["seal", "open"] as const).map((direction) =>
    streams.adopt(createGcm(direction, key, nonce, "last64", fill), (stream) => stream.destroy()),
  );
  const stride = size + gcmTagBytes;
  const frames = Math.min(mostFrames, Math.max(1, Math.floor(batchBytes / stride)));
  const region = Region.allocate(frames * stride);
  const spent: Record<Direction, number> = { encrypt: 0, decrypt: 0 };
  let batches = 0;
  while (spent.encrypt < seconds || spent.decrypt < seconds) {
    const begun = cpuSeconds();
    for (let frame = 0; frame < frames; frame++) seal.seal(region, frame * stride, size);
    const sealed = cpuSeconds();
    for (let frame = 0; frame < frames; frame++) {
      if (!open.open(region, frame * stride, size)) throw new Error("a frame did not survive its encryption");
    }
    spent.encrypt += sealed - begun;
    spent.decrypt += cpuSeconds() - sealed;
    batches++;
    await turn(undefined, { signal });
  }
  const bytes = batches * frames * size;
  return { encrypt: bytes / spent.encrypt, decrypt: bytes / spent.decrypt };
}

/** CPU of the whole process, so that the garbage collector's threads count. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
