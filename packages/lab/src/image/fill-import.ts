import { randomBytes as randomBytesCallback } from "node:crypto";
import { promisify } from "node:util";
import { longestTimer } from "@siphon/wire";
import type { Fill } from "./fill-fio.ts";

const randomBytes = promisify(randomBytesCallback);
const BLOCK = 4 * 2 ** 20;

/**
 * Fills an image by importing a generated diff; `imageSize` is the size of the whole image in bytes.
 *
 *     "rbd diff v1\n" | 's' u64 image size | { 'w' u64 offset | u64 length | data }... | 'e'
 *
 * Little-endian; source: doc/dev/rbd-diff.rst.
 */
export async function fillByImport(
  { client, image, size, progress, signal }: Fill,
  imageSize: number,
): Promise<void> {
  const spec = client.spec(image);
  await client.rbd(["import-diff", "--no-progress", "-", spec], {
    ...{ signal, what: `fill the image ${spec}`, timeoutMs: longestTimer },
    input: randomDiff(size, imageSize, progress),
  });
}

async function* randomDiff(
  size: number,
  imageSize: number,
  progress: (done: number) => void,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from("rbd diff v1\n");
  yield record("s", imageSize);
  for (let offset = 0; offset < size; offset += BLOCK) {
    const length = Math.min(BLOCK, size - offset);
    yield record("w", offset, length);
    yield await randomBytes(length);
    progress(offset + length);
  }
  yield Buffer.from("e");
}

function record(tag: string, ...numbers: number[]): Uint8Array {
  const bytes = Buffer.alloc(1 + 8 * numbers.length);
  bytes.write(tag, "latin1");
  for (const [n, number] of numbers.entries()) bytes.writeBigUInt64LE(BigInt(number), 1 + 8 * n);
  return bytes;
}
