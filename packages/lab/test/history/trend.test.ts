import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { LabError } from "../../src/errors.ts";
import { findRuns, type RunEntry } from "../../src/history/entries.ts";
import { changesBefore, trendHeadline, trendOf } from "../../src/history/trend.ts";
import { trendHtml } from "../../src/history/trend-page.ts";
import { hostile } from "../fixtures/results.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { runOn, writeRuns } from "./fixtures.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-trend-"));
after(() => rmSync(dir, { recursive: true, force: true }));
let entries: RunEntry[];

before(async () => {
  const newer = runOn(3, 0.5);
  const other = runOn(4);
  await writeRuns(dir, {
    one: runOn(1),
    two: { ...runOn(2), complete: false },
    three: {
      ...newer,
      facts: { ...newer.facts, versions: [...newer.facts.versions, { name: "news", value: hostile }] },
    },
    other: { ...other, workload: { ...other.workload, rw: "randwrite" } },
  });
  entries = await findRuns(dir);
});

const planOf = (name: string) => entries.find((entry) => entry.name === name)!.plan!.id;

test("a trend holds the latest run of a plan against the first, and says what else changed from run to run", () => {
  const trend = trendOf(entries, { plan: planOf("one"), last: 20 });
  const { runs, rows, differences } = trend.comparison;
  assert.deepEqual(
    runs.map(({ label }) => label),
    ["one", "two", "three"],
  );
  const slower = rows.find(({ name }) => name === "cache-none")!;
  assert.equal(slower.changes.at(-1)?.iops.verdict, "worse");
  assert.match(trendHeadline(trend), /\b1 worse from the first of 3 runs to the latest/);
  assert.deepEqual(changesBefore(differences, 0), []);
  assert.deepEqual(changesBefore(differences, 1), []);
  assert.deepEqual(changesBefore(differences, 2), [`versions: news none → ${hostile}`]);
});

test("a limit takes the latest runs of a plan; a single run is not a trend", () => {
  const { comparison } = trendOf(entries, { plan: planOf("one"), last: 2 });
  assert.deepEqual(
    comparison.runs.map(({ label }) => label),
    ["two", "three"],
  );
  for (const plan of [undefined, "nothing"]) {
    assert.throws(
      () => trendOf(entries, { last: 20, ...(plan !== undefined && { plan }) }),
      (error) => error instanceof LabError && error.code === "SIPHON_NOT_FOUND",
    );
  }
});

describe("a trend's page in a browser", { skip: noChromium, timeout: 240_000 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser?.close());

  for (const width of [1280, 360]) {
    test(`at ${width} px nothing is wider than the screen, no label meets a figure, and text from outside stays text`, async () => {
      const file = join(dir, "trend.html");
      await writeFile(file, await trendHtml(trendOf(entries, { plan: planOf("one"), last: 20 })));
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      const heard: string[] = [];
      page.on("console", (message) => heard.push(message.text()));
      page.on("request", (request) => request.url().startsWith("http") && heard.push(request.url()));
      await page.goto(pathToFileURL(file).href);
      assert.ok(Number(await page.evaluate("document.documentElement.scrollWidth")) <= width);
      const svgs = page.locator(".chart svg:visible");
      assert.equal(await svgs.count(), 3);
      // Boxes of the chart's texts, in its first row and all others.
      const meets = await svgs.first().evaluate((svg) => {
        const boxes = [...svg.querySelectorAll("text")].map((text) => ({
          text: text.textContent,
          box: text.getBoundingClientRect(),
        }));
        return boxes.flatMap(({ text, box }, index) =>
          boxes
            .slice(index + 1)
            .filter(
              ({ box: other }) =>
                box.left < other.right - 1 &&
                other.left < box.right - 1 &&
                box.top < other.bottom - 4 &&
                other.top < box.bottom - 4,
            )
            .map((other) => `${text} / ${other.text}`),
        );
      });
      assert.deepEqual(meets, []);
      assert.ok((await page.locator("main").innerText()).includes(hostile));
      assert.deepEqual(heard, []);
      await page.close();
    });
  }
});
