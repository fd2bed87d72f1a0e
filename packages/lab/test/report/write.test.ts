import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { writeReport } from "../../src/report/write.ts";
import type { Results } from "../../src/results/schema.ts";
import { exampleResults } from "../fixtures/results.ts";

async function directory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "siphon-report-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("a report is one page, its Markdown and the charts", async () => {
  await using dir = await directory();
  const files = await writeReport(join(dir.path, "new"), exampleResults());
  assert.deepEqual((await readdir(join(dir.path, "new"))).toSorted(), [
    "cpu.svg",
    "factors.svg",
    "ladder.svg",
    "latency.svg",
    "report.html",
    "report.md",
    "threads.svg",
  ]);
  assert.equal(files.charts.length, 5);
});

test("the same results give the same report, byte for byte", async () => {
  await using dir = await directory();
  const [one, two] = await Promise.all(
    ["one", "two"].map(async (name) =>
      readFile((await writeReport(join(dir.path, name), exampleResults())).html, "utf8"),
    ),
  );
  assert.ok(one === two);
});

const results = exampleResults({ bigger: false });
const cases: [string, Results, RegExp][] = [
  [
    "nothing measured",
    { ...results, rungs: results.rungs.filter(({ status }) => status !== "measured") },
    /No rung could be measured/,
  ],
  ["one rung", { ...results, rungs: results.rungs.slice(0, 1) }, /no other rung is faster/],
  ["two repeats", exampleResults({ repeats: 2 }), /too few repeats to tell it from/],
  ["KVM", exampleResults({ accelerator: "kvm" }), /KVM \(the small guest booted under KVM\)/],
];

for (const [name, of, expected] of cases) {
  test(`there is a report also of: ${name}`, async () => {
    await using dir = await directory();
    const page = await readFile((await writeReport(dir.path, of)).html, "utf8");
    assert.match(page, expected);
    assert.doesNotMatch(page, /NaN|undefined|Infinity/);
    assert.equal(page.includes("no absolutes"), of.accelerator.name === "tcg");
  });
}

test("a directory that cannot be made ends in one clear sentence", async () => {
  await using dir = await directory();
  const file = join(dir.path, "file");
  await writeFile(file, "");
  await assert.rejects(
    writeReport(join(file, "below"), exampleResults()),
    (error) => error instanceof LabError && error.message.includes(`cannot write ${file}/below`),
  );
});
