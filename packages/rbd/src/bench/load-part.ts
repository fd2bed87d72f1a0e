// The part of a load that one worker has: see `WorkersLoad`.
import type { InWorker } from "../workers/image-workers.ts";
import { ImageLoad, type LoadOptions, type LoadResult } from "./image-load.ts";

export const inWorker: InWorker<LoadOptions, LoadResult> = async (
  image,
  { index, count, data: options, signal, tell },
) => {
  const { depth, total, rate } = options;
  const load = new ImageLoad(image, {
    ...{ ...options, signal, part: { from: index / count, to: (index + 1) / count } },
    depth: Math.floor(depth / count) + (index < depth % count ? 1 : 0),
    rate: rate === undefined ? undefined : rate / count,
    total: total === undefined ? undefined : Math.ceil(total / count),
  });
  const timer = setInterval(() => tell(load.progress), 500);
  try {
    return await load.run();
  } finally {
    clearInterval(timer);
  }
};
