import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { readResults, resultsFile, writeResults } from "../../src/results/file.ts";
import { exampleResults } from "../fixtures/results.ts";

async function directory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "siphon-results-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const labError = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof LabError && error.code === code && message.test(error.message) && error.hint !== undefined;

test("written results are read back, by file or by directory", async () => {
  await using dir = await directory();
  const results = exampleResults();
  const file = await writeResults(dir.path, results);
  assert.deepEqual(await readResults(file), JSON.parse(JSON.stringify(results)));
  assert.deepEqual(await readResults(dir.path), await readResults(file));
});

test("a second writing replaces the file and leaves nothing else behind", async () => {
  await using dir = await directory();
  await writeResults(dir.path, exampleResults());
  await writeResults(dir.path, exampleResults({ complete: false }));
  assert.equal((await readResults(dir.path)).complete, false);
  assert.deepEqual(await readdir(dir.path), [resultsFile]);
});

test("what does not fit the schema is never written", async () => {
  await using dir = await directory();
  await assert.rejects(writeResults(dir.path, { ...exampleResults(), seed: 0.5 }));
  assert.deepEqual(await readdir(dir.path), []);
});

test("a missing file is named, with where to look", async () => {
  await assert.rejects(readResults("/nowhere/at/all"), labError("SIPHON_NOT_FOUND", /\/nowhere\/at\/all/));
});

test("half a file is called broken", async () => {
  await using dir = await directory();
  const file = await writeResults(dir.path, exampleResults());
  const text = await readFile(file, "utf8");
  await writeFile(file, text.slice(0, text.length / 2));
  await assert.rejects(readResults(file), labError("SIPHON_BAD_FILE", /it is not JSON/));
});

test("a file that lacks something says where", async () => {
  await using dir = await directory();
  const { workload: _, ...rest } = exampleResults();
  const file = join(dir.path, resultsFile);
  await writeFile(file, JSON.stringify(rest));
  await assert.rejects(readResults(file), labError("SIPHON_BAD_FILE", /workload/));
});

test("a file of a newer siphon is called so", async () => {
  await using dir = await directory();
  const file = join(dir.path, resultsFile);
  await writeFile(file, JSON.stringify({ schema: 2, rungs: "another shape" }));
  await assert.rejects(readResults(file), labError("SIPHON_BAD_FILE", /its schema is 2/));
});

test("a directory that does not exist is made", async () => {
  await using dir = await directory();
  const file = await writeResults(join(dir.path, "a", "b"), exampleResults());
  assert.equal((await readResults(file)).schema, 1);
});

test("a full disk is called so, and the file of before stays whole", async () => {
  await using dir = await directory();
  const file = await writeResults(dir.path, exampleResults());
  await symlink("/dev/full", `${file}.${process.pid}.tmp`);
  await assert.rejects(
    writeResults(dir.path, exampleResults({ complete: false })),
    labError("SIPHON_NO_SPACE", /file system is full/),
  );
  assert.equal((await readResults(file)).complete, true);
  assert.deepEqual(await readdir(dir.path), [resultsFile]);
});
