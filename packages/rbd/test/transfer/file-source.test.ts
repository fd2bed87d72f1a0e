import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { FileSource } from "../../src/transfer/file-source.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-file-source-"));
after(() => rmSync(directory, { recursive: true }));

/** Larger than what is read ahead. */
const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) >> 3));
const path = join(directory, "bytes");
writeFileSync(path, bytes);

test("whatever is read, filled in and skipped, all is from where it should be", async () => {
  const step = fc.record({
    action: fc.constantFrom("exactly", "fill", "skip", "take"),
    length: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 100_000 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      await using source = await FileSource.open(path);
      const found: [Buffer, number][] = [];
      const arrivals: (() => Promise<void>)[] = [];
      for (const { action, length } of steps) {
        const at = source.position;
        if (at + length > bytes.length) break;
        if (action === "skip") await source.skip(length);
        else if (action === "exactly") found.push([await source.exactly(length), at]);
        else if (action === "take")
          for await (const part of source.take(length)) found.push([part, source.position - part.length]);
        else {
          const into = Buffer.alloc(length);
          arrivals.push(await source.fill(into));
          found.push([into, at]);
        }
        assert.equal(source.position, at + length);
      }
      await Promise.all(arrivals.map((arrived) => arrived()));
      for (const [part, at] of found) assert.deepEqual(part, bytes.subarray(at, at + part.length));
    }),
    { numRuns: 50 },
  );
});

test("a file that ends too early is told, with where it ends", async () => {
  const truncated = {
    code: "SIPHON_TRANSFER_TRUNCATED",
    message: /ends at byte 300000; 7 bytes are missing/,
  };
  for (const read of ["skip", "fill", "exactly"] as const) {
    await using source = await FileSource.open(path, bytes.length - 100);
    const reading =
      read === "fill"
        ? source.fill(Buffer.alloc(107))
        : read === "skip"
          ? source.skip(107)
          : source.exactly(107);
    await assert.rejects(reading, truncated);
  }
});

test("a file that is cut off while it is read is told", async () => {
  const other = join(directory, "cut-off");
  writeFileSync(other, bytes);
  await using source = await FileSource.open(other);
  const arrived = await source.fill(Buffer.alloc(bytes.length));
  truncateSync(other, 1000);
  await assert.rejects(arrived(), {
    code: "SIPHON_TRANSFER_TRUNCATED",
    message: /ends at byte 1000; 299000 bytes are missing/,
  });
});
