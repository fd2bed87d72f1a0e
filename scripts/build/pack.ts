import { writeFile } from "node:fs/promises";

/** Part of siphon's program: a script whose value is a function of `(require, module, exports)`. */
export interface Chunk {
  readonly name: string;
  readonly source: Buffer;
  /** V8's code cache of the source. */
  readonly compiled: Buffer;
  readonly sourceMap: Buffer;
}

/** Writes chunks as `launcher.cjs` reads them: a tag, the index's length (u32), the index (JSON), the parts. */
export async function writePack(path: string, chunks: readonly Chunk[]): Promise<void> {
  const parts: Buffer[] = [];
  let offset = 0;
  const add = (bytes: Buffer): [number, number] => {
    parts.push(bytes);
    offset += bytes.length;
    return [offset - bytes.length, bytes.length];
  };
  const index = Object.fromEntries(
    chunks.map(({ name, source, compiled, sourceMap }) => [name, [compiled, source, sourceMap].map(add)]),
  );
  const head = Buffer.from(JSON.stringify(index));
  const tag = Buffer.from("SIPH\0\0\0\0");
  tag.writeUInt32LE(head.length, 4);
  await writeFile(path, Buffer.concat([tag, head, ...parts]));
}
