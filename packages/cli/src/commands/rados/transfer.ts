import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { appendToObject, readObject, WriteOperation, writeObject } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import type { RadosCall, RadosVerb } from "./call.ts";
import { bytesText } from "./format.ts";

export const transferVerbs: RadosVerb[] = [
  {
    ...{
      name: "get",
      arguments: "<object> <file>",
      summary: "write an object to a file (- for standard output)",
    },
    ...{ takes: [2, 2], run: get },
  },
  {
    ...{
      name: "put",
      arguments: "<object> <file>",
      summary: "write a file (- for standard input) to an object",
    },
    ...{ takes: [2, 2], run: put },
  },
  {
    ...{ name: "append", arguments: "<object> <file>", summary: "append a file to an object" },
    ...{ takes: [2, 2], run: append },
  },
  {
    ...{ name: "cp", arguments: "<object> [target]", summary: "copy an object, on the OSDs" },
    ...{ takes: [1, 2], run: copy },
  },
];

async function get(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const [object, path] = call.args as [string, string];
  const chunks = readObject(pool, object, { ...streaming(call) });
  // For an object that does not exist, no file is created or truncated.
  let chunk = await chunks.next();
  await using file = path === "-" ? undefined : await open(path, "w");
  using progress = new Progress();
  for (; !chunk.done; chunk = await chunks.next()) {
    progress.add(chunk.value.length);
    if (file === undefined) await call.write(chunk.value);
    else await file.writeFile(chunk.value);
  }
}

async function put(call: RadosCall): Promise<void> {
  const [object, path] = call.args as [string, string];
  using progress = new Progress();
  const source = progress.over(fileOf(path));
  await writeObject(await call.pool(), object, source, { ...streaming(call), offset: call.flags.offset });
}

async function append(call: RadosCall): Promise<void> {
  const [object, path] = call.args as [string, string];
  using progress = new Progress();
  await appendToObject(await call.pool(), object, progress.over(fileOf(path)), streaming(call));
}

async function copy(call: RadosCall): Promise<void> {
  const { flags, object, signal } = call;
  const pool = await call.pool();
  const { targetPool, targetNamespace, targetLocator: key } = flags;
  const there = targetPool === undefined ? pool : await call.cluster.pool(targetPool, { signal });
  const namespace = targetNamespace ?? pool.namespace;
  const target = call.args[1] ?? object;
  const isSamePlace = there.id === pool.id && namespace === pool.namespace && key === flags.locator;
  if (target === object && isSamePlace) {
    throw new SiphonError("SIPHON_USAGE", "an object cannot be copied onto itself", {
      hint: "give the copy another name, or --target-pool",
    });
  }
  const source = { poolId: pool.id, name: object, namespace: pool.namespace, key: flags.locator ?? "" };
  const operation = new WriteOperation().copyFrom(source);
  await there.with({ namespace }).operate(target, operation, { signal, ...(key !== undefined && { key }) });
}

function streaming({ flags: { blockSize }, signal }: RadosCall): {
  signal: AbortSignal;
  chunkBytes?: number;
} {
  return { signal, ...(blockSize !== undefined && { chunkBytes: blockSize }) };
}

function fileOf(path: string): AsyncIterable<Buffer> {
  if (path === "-") return process.stdin;
  // Read errors do not name the path.
  return createReadStream(path, { highWaterMark: 1 << 20 }).on("error", (error) =>
    Object.assign(error, { path }),
  );
}

/** Progress in bytes on standard error, if that is a terminal; for long transfers. */
class Progress implements Disposable {
  #bytes = 0;
  #shown = 0;
  readonly #started = performance.now();

  add(bytes: number): void {
    this.#bytes += bytes;
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.#started < quiet || now - this.#shown < interval) return;
    this.#shown = now;
    const rate = this.#bytes / ((now - this.#started) / 1000);
    process.stderr.write(`\r\x1b[K${bytesText(this.#bytes)}, ${bytesText(Math.round(rate))}/s`);
  }

  async *over(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      this.add(chunk.length);
      yield chunk;
    }
  }

  [Symbol.dispose](): void {
    if (this.#shown > 0) process.stderr.write("\r\x1b[K");
  }
}

/** Milliseconds. */
const quiet = 1_000;
const interval = 200;
