import type { CephClient } from "../ceph/client.ts";
import { checkSpace } from "../ceph/space.ts";
import { fillWithFio } from "./fill-fio.ts";
import { fillByImport } from "./fill-import.ts";
import { type ImageOptions, imageInfo } from "./image.ts";
import { StallGuard } from "./stall.ts";

export interface PrefillOptions extends ImageOptions {
  /** Bytes to fill from the start; default: the whole image. */
  size?: number;
  /** Called once a second with the bytes written and the total. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Fills an image with random data, so that reads find objects and are not cheap because of zeros or compression. Uses
 * fio with sequential 4 MiB writes, as in the study. If fio cannot be used (its rbd engine does not support
 * namespaces), it uses `rbd import-diff`, which takes 1.5 times as long. (`rbd bench` is not suitable: it writes one
 * repeated byte, and its threads leave gaps.)
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
