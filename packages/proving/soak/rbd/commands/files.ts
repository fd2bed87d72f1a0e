import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The words of command lines that stand for files. */
export const isFile = /^(FILE|NEWFILE|OUT|GARBAGE|DIFF|NOFILE|DIRECTORY|NODIRECTORY)(?=$|\/)/;

/** Makes the input files, and removes the output files of earlier lines. */
export async function makeFiles(directory: string): Promise<void> {
  const file = (name: string) => join(directory, name);
  for (const name of ["NEWFILE", "OUT"]) await rm(file(name), { force: true });
  await writeFile(file("FILE"), Buffer.alloc(1 << 20, 5));
  await writeFile(file("GARBAGE"), "rbd diff v1\nthis is none");
  await writeFile(file("DIFF"), diff);
  await rm(file("DIRECTORY"), { recursive: true, force: true });
  await mkdir(file("DIRECTORY"));
}

/** A diff from nothing to snapshot `t` of 8 MiB, with 4 KiB of data at 1 MiB. */
const diff = Buffer.concat([
  Buffer.from("rbd diff v1\n"),
  tagged("t", Buffer.from([1, 0, 0, 0]), Buffer.from("t")),
  tagged("s", numbers(8 << 20)),
  tagged("w", numbers(1 << 20, 4096), Buffer.alloc(4096, 3)),
  Buffer.from("e"),
]);

function tagged(tag: string, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(tag), ...parts]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 8 * index);
  return bytes;
}
