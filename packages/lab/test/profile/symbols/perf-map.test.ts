import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { readPerfMap } from "../../../src/profile/symbols/perf-map.ts";

/** Above the highest pid: nobody else's file. */
const pid = 2 ** 22 + 7;
const file = `/tmp/perf-${pid}.map`;

test("generated code has the names that its program wrote down; of two for one address the last counts", async () => {
  await writeFile(
    file,
    "1000 100 JS:*old /srv/a.js:1\n2000 80 JS:*other\n1000 80 JS:*hot /srv/a.js:3\nnonsense\n",
  );
  try {
    const nameOf = readPerfMap(pid);
    assert.equal(nameOf(0x1000n), "JS:*hot /srv/a.js:3");
    assert.equal(nameOf(0x1090n), "JS:*old /srv/a.js:1");
    assert.equal(nameOf(0x2080n), undefined);
  } finally {
    await rm(file);
  }
});

test("without that file nothing has a name", () => {
  assert.equal(readPerfMap(pid)(0x1000n), undefined);
});
