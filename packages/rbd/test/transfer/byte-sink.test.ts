import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import { type ByteSink, fileSink, streamSink } from "../../src/transfer/byte-sink.ts";

test("a file gets all bytes in order, small and large", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "siphon-sink-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "file");
  await using file = await open(path, "wx");
  const written = await fill(fileSink(file));
  assert.deepEqual(readFileSync(path), written);
});

test("a stream gets all bytes in order, no faster than it takes them", async () => {
  const stream = new PassThrough();
  const received: Buffer[] = [];
  const reading = (async () => {
    for await (const part of stream) received.push(part);
  })();
  const written = await fill(streamSink(stream));
  stream.end();
  await reading;
  assert.deepEqual(Buffer.concat(received), written);
});

test("an error of the stream is the writer's", async () => {
  const stream = new Writable({ write: (_, __, done) => done(new Error("EPIPE")) });
  stream.on("error", () => {});
  await assert.rejects(fill(streamSink(stream)), /EPIPE/);
});

/** Writes some megabytes in parts of very different sizes and returns what was written. */
async function fill(sink: ByteSink): Promise<Buffer> {
  const parts = Array.from({ length: 3000 }, (_, n) => Buffer.alloc(n % 500 === 0 ? 700_000 : n % 50, n));
  for (const part of parts) await sink.write(part);
  await sink.finish();
  return Buffer.concat(parts);
}
