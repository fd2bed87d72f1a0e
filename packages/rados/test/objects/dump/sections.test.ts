import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dumpStart,
  objectBegin,
  readObjectBegin,
  readSections,
  type Section,
  section,
  sectionKind,
} from "../../../src/objects/dump/sections.ts";

const dump = Buffer.concat([
  dumpStart(),
  section(sectionKind.poolBegin),
  objectBegin("name", "space", "key"),
  section(sectionKind.data, (w) => w.u64(0).u64(4).blob(Buffer.from("data"))),
  section(sectionKind.objectEnd),
  section(sectionKind.poolEnd),
]);

async function* inParts(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** As many sections as there are, and how it ends. */
async function sectionsOf(bytes: Buffer, size = bytes.length): Promise<{ found: Section[]; error: unknown }> {
  const found: Section[] = [];
  try {
    for await (const each of readSections(inParts(bytes, size))) found.push(each);
    return { found, error: undefined };
  } catch (error) {
    return { found, error };
  }
}

test("sections are read as they were written, however the bytes come", async () => {
  for (const size of [1, 7, dump.length]) {
    const { found } = await sectionsOf(dump, size);
    const { poolBegin, objectBegin, data, objectEnd, poolEnd } = sectionKind;
    assert.deepEqual(
      found.map(({ kind }) => kind),
      [poolBegin, objectBegin, data, objectEnd, poolEnd],
    );
    const { name, namespace, key } = readObjectBegin(found[1]!.content);
    assert.deepEqual([name, namespace, key].map(String), ["name", "space", "key"]);
    const written = found[2]!.content.versioned("data", 1, (r) => [r.u64(), r.u64(), String(r.blob())]);
    assert.deepEqual(written, [0n, 4n, "data"]);
  }
});

test("a dump that is none, that is newer, that is cut off or damaged is refused", async () => {
  const changed = (at: number, value: number, count = 1) => Buffer.from(dump).fill(value, at, at + count);
  const footerEnd = dump.length - 2 * 18 - 1;
  // The header of the first section: u8 version, u8 compat, u32 length, u32 kind, i64 bytes of the content.
  const [compat, length] = [16 + 1, 16 + 10];
  for (const [bytes, code] of [
    [Buffer.alloc(100), "EFAULT"],
    [changed(4, 3), "EINVAL"],
    [changed(footerEnd, 0), "EFAULT"],
    [changed(compat, 9), "EFAULT"],
    [changed(length, 0xff, 8), "EFAULT"],
    [dump.subarray(0, 20), "EFAULT"],
    [dump, "EFAULT"],
  ] as const) {
    assert.equal(((await sectionsOf(bytes)).error as { code: string }).code, code);
  }
});

test("the source is closed when the reader stops", async () => {
  let isClosed = false;
  async function* source() {
    try {
      yield dump;
    } finally {
      isClosed = true;
    }
  }
  for await (const { kind } of readSections(source())) {
    assert.equal(kind, sectionKind.poolBegin);
    break;
  }
  assert.ok(isClosed);
});
