import type { CephClient } from "../ceph/client.ts";
import { checkSpace } from "../ceph/space.ts";
import { fillWithFio } from "./fill-fio.ts";
import { fillByImport } from "./fill-import.ts";
import { type ImageOptions, imageInfo } from "./image.ts";
import { StallGuard } from "./stall.ts";

export interface PrefillOptions extends ImageOptions {
  /** Bytes to fill from the start; the whole image unless told. */
  size?: number;
  /** Called once a second with the bytes that are written, and all bytes. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Fills an image with random data, so that reads find objects and neither zeros nor a compressor make them
 * cheap. fio does it, with 4 MiB sequential writes as in the study. Where fio cannot (its rbd engine knows no
 * namespaces) the data goes through `rbd import-diff`, which takes half as long again. (`rbd bench` would not
 * do: it writes one byte over and over, and its threads leave gaps.)
 */
export async function prefillImage(
  client: CephClient,
  { image, size, signal, onProgress }: PrefillOptions,
): Promise<void> {
  const info = await imageInfo(client, { image, signal });
  const total = Math.min(size ?? info.size, info.size);
  const what = `filling the image ${client.spec(image)}`;
  await checkSpace(client, total, what, signal);
  using guard = new StallGuard(what, { signal });
  const progress = (done: number) => {
    guard.progress();
    onProgress?.(Math.min(done, total), total);
  };
  const fill = { client, image, size: total, progress, signal: guard.signal };
  if (client.target.namespace === undefined) await fillWithFio(fill);
  else await fillByImport(fill, info.size);
  progress(total);
}
