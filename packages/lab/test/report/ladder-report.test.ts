import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { writeReport } from "../../src/report/write.ts";
import { cumulativeRungs } from "../../src/rungs/cumulative.ts";
import { exampleResults, hostile } from "../fixtures/results.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";

/** Five of the ladder, and a pair for each of two mixes. */
const charts = 5 + 2 * 2;

const results = exampleResults({ complete: false, sliced: true, curves: true });

describe("a ladder's report in a browser", { skip: noChromium, timeout: 240_000 }, () => {
  let directory: string;
  let url: string;
  let browser: Browser;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "siphon-report-"));
    url = pathToFileURL((await writeReport(directory, results)).html).href;
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Opens the report, and keeps what it says on the console and what it asks the network for. */
  async function open(options: BrowserContextOptions = {}, prepare?: (page: Page) => Promise<void>) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
    const page = await context.newPage();
    const heard: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => heard.push(message.text()));
    page.on("pageerror", (error) => heard.push(error.message));
    page.on("dialog", (dialog) => {
      heard.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => requests.push(request.url()));
    await prepare?.(page);
    await page.goto(url);
    return { page, heard, requests, [Symbol.asyncDispose]: () => context.close() };
  }

  test("it opens without a word on the console and without asking the network for anything", async () => {
    await using report = await open();
    assert.deepEqual(report.heard, []);
    assert.deepEqual(
      report.requests.filter((request) => request !== url && !request.startsWith("data:")),
      [],
    );
  });

  test("it shows every rung: why it matters, and its command line or why there is none", async () => {
    await using report = await open();
    for (const rung of results.rungs) {
      const article = (await report.page.locator(`[id="rung-${rung.name}"]`).textContent()) ?? "";
      assert.ok(article.includes(rung.title) && article.includes(rung.why), rung.name);
      const expected = rung.status === "measured" ? `rung=${rung.name} ` : rung.reason;
      assert.ok(article.includes(expected), `${rung.name}: ${article}`);
      assert.ok((await report.page.locator(".chart svg.wide").first().textContent())?.includes(rung.title));
    }
  });

  test("text from outside stays text", async () => {
    await using report = await open();
    assert.ok((await report.page.locator("main").innerText()).includes(hostile));
    assert.equal(await report.page.locator("img").count(), 0);
    assert.equal(await report.page.locator("script").count(), 1);
  });

  for (const way of ["the clipboard API", "a selection, where there is no clipboard API"]) {
    test(`the copy button copies the exact command line by ${way}`, async () => {
      await using report = await open({}, async (page) => {
        if (way === "the clipboard API") return;
        await page.addInitScript("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
      });
      const { page } = report;
      const button = page.locator('[id="rung-cache-none"] button').first();
      await button.click();
      await page.waitForFunction(
        (element) => element?.textContent === "Copied",
        await button.elementHandle(),
      );
      await page.evaluate("document.body.append(document.createElement('textarea'))");
      await page.locator("textarea").focus();
      await page.keyboard.press("Control+V");
      const rung = results.rungs.find(({ name }) => name === "cache-none");
      assert.ok(rung?.status === "measured");
      assert.equal(await page.locator("textarea").inputValue(), rung.command);
    });
  }

  test("it is light or dark as the reader's system is, charts included", async () => {
    const seen = await Promise.all(
      (["light", "dark"] as const).map(async (colorScheme) => {
        await using report = await open({ colorScheme });
        return await colors(report.page);
      }),
    );
    const [light, dark] = seen;
    assert.equal(light!.page, "rgb(255, 255, 255)");
    assert.ok(
      Object.keys(light!).every((part) => light![part] !== dark![part]),
      JSON.stringify(seen),
    );
  });

  test("on a telephone nothing is wider than the screen, and charts are drawn for its width", async () => {
    await using report = await open({ viewport: { width: 360, height: 740 } });
    assert.ok(Number(await report.page.evaluate("document.documentElement.scrollWidth")) <= 360);
    assert.equal(await report.page.locator(".chart svg.wide:visible").count(), 0);
    assert.equal(await report.page.locator(".chart svg.narrow:visible").count(), charts);
  });

  for (const width of [1280, 360]) {
    test(`tables fit at ${width} px, whichever rungs they have`, async () => {
      await using report = await open({ viewport: { width, height: 900 } });
      const titles = cumulativeRungs.map(({ title }) => title);
      const longest = titles.reduce((longer, title) => (title.length > longer.length ? title : longer));
      await report.page.locator("tbody th").evaluateAll((all, title) => {
        for (const each of all) each.textContent = title;
      }, longest);
      const wider = await report.page
        .locator(".scroll")
        .evaluateAll((all) =>
          all.flatMap((each) =>
            each.scrollWidth > each.clientWidth
              ? [`${each.ariaLabel}: ${each.scrollWidth} in ${each.clientWidth}`]
              : [],
          ),
        );
      assert.deepEqual(wider, []);
      assert.ok(Number(await report.page.evaluate("document.documentElement.scrollWidth")) <= width);
    });
  }

  test("where the page is wide, what I/O costs stands beside how much of it there is", async () => {
    await using report = await open({ viewport: { width: 1280, height: 900 } });
    const [iops, cpu] = await report.page
      .locator(".pair figure")
      .evaluateAll((all) => all.map((each) => each.getBoundingClientRect()).map(({ x, y }) => ({ x, y })));
    assert.ok(iops && cpu && iops.y === cpu.y && iops.x < cpu.x, JSON.stringify([iops, cpu]));
  });

  test("on paper it is light, without buttons, with folded parts open", async () => {
    await using report = await open({ colorScheme: "dark", viewport: { width: 500, height: 700 } });
    const { page } = report;
    await page.emulateMedia({ media: "print" });
    assert.equal((await colors(page)).page, "rgb(255, 255, 255)");
    assert.equal(await page.locator("button:visible").count(), 0);
    assert.equal(await page.locator(".chart svg.wide:visible").count(), charts);
    const folded = await page.locator("details:not([open])").count();
    assert.ok(folded > 0);
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    assert.equal(await page.locator("details:not([open])").count(), 0);
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    assert.equal(await page.locator("details:not([open])").count(), folded);
  });

  test("every chart, table and button has a name for those who do not see it", async () => {
    await using report = await open();
    const { page } = report;
    assert.equal(await page.getByRole("img", { name: "IOPS by rung" }).count(), 1);
    assert.equal(await page.getByRole("img").count(), charts);
    for (const name of ["All figures", "Latency", "The bigger test"]) {
      assert.equal(await page.getByRole("table", { name, exact: true }).count(), 1, name);
    }
    assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    const targets: string[] = await page
      .locator("nav a")
      .evaluateAll((links) => links.map(({ hash }) => hash));
    for (const target of targets) assert.equal(await page.locator(target).count(), 1, target);
  });
});

/** The colours of the page, its text, and of ground, bars and labels in its charts. */
async function colors(page: Page): Promise<Record<string, string>> {
  return page.evaluate(`({
    page: getComputedStyle(document.body).backgroundColor,
    text: getComputedStyle(document.body).color,
    bar: getComputedStyle(document.querySelector('.chart path[fill^="#"]')).fill,
    label: getComputedStyle(document.querySelector('.chart text')).fill,
  })`);
}
