import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ladderRun } from "../../src/compare/comparable.ts";
import { compareRuns } from "../../src/compare/compare-runs.ts";
import { writeComparison } from "../../src/compare/write.ts";
import { exampleResults, hostile } from "../fixtures/results.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { slowed } from "./fixtures.ts";

const directory = await mkdtemp(join(tmpdir(), "siphon-compare-"));
after(() => rm(directory, { recursive: true, force: true }));

const before = exampleResults();
const comparison = compareRuns([
  ladderRun("runs/before", before),
  ladderRun(`runs/${hostile}`, slowed(exampleResults({ seed: 2, accelerator: "kvm" }), "iothread", 0.5)),
]);

test("the JSON form holds the whole comparison", async () => {
  const { json } = await writeComparison(directory, comparison);
  assert.deepEqual(JSON.parse(await readFile(json, "utf8")), comparison);
});

test("the page shows every rung and every difference, and nothing in it runs that should not", {
  skip: noChromium,
}, async () => {
  const { html } = await writeComparison(directory, comparison);
  await using browser = await launchChromium();
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", () => complaints.push("a label was run as a script"));
  await page.goto(`file://${html}`);
  const iops = page.locator("#iops tbody");
  for (const { title } of before.rungs)
    assert.equal(await iops.getByText(title, { exact: true }).count(), 1, title);
  assert.match((await iops.getByRole("row", { name: "+ iothread" }).textContent())!, /▼ −\d+/);
  assert.match((await page.locator("#differences").textContent())!, /TCG\s*KVM/);
  assert.equal(await page.locator("#changes-1 svg:visible").count(), 1);
  assert.deepEqual(complaints, []);
});

test("a directory that cannot be made is one clear error", async () => {
  const file = join(directory, "file");
  await writeFile(file, "");
  await assert.rejects(writeComparison(join(file, "below"), comparison), /cannot write/);
});
