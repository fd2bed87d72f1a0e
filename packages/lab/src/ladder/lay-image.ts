import type { CephClient } from "../ceph/client.ts";
import { PARTITION_ROOM } from "../guest/partition/plan.ts";
import { imageFile, writeFileToImage } from "../image/import.ts";
import { prefillImage } from "../image/prefill.ts";
import type { Report } from "../step.ts";
import { formatSize } from "./size.ts";

/** The content of the image that VMs get. */
export interface Laying {
  /** Bytes covered by the load. */
  size: number;
  /** A guest's disk in front of that data; undefined: the data is the whole image. */
  guestDisk?: string;
}

/** Size of the image in bytes. */
export async function imageSize({ size, guestDisk }: Laying): Promise<number> {
  if (guestDisk === undefined) return size;
  return (await imageFile(guestDisk)).virtualSize + size + PARTITION_ROOM;
}

/** Fills an empty image with random data, or imports the guest's disk. */
export async function layImage(
  client: CephClient,
  image: string,
  { size, guestDisk }: Laying,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<void> {
  if (guestDisk !== undefined) {
    const onProgress = (share: number) =>
      report(`writing the guest's disk to the image: ${Math.round(share * 100)} %`);
    await writeFileToImage(client, { file: guestDisk, image, signal, onProgress });
    return;
  }
  const onProgress = (done: number, total: number) =>
    report(`filling the image: ${formatSize(done)} of ${formatSize(total)}`);
  await prefillImage(client, { image, size, signal, onProgress });
}
