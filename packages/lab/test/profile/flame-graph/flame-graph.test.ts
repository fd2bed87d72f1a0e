import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { profileHtml } from "../../../src/profile/profile-page.ts";
import { hostile } from "../../fixtures/results.ts";
import { launchChromium, noChromium } from "../../support/chromium.ts";
import { exampleProfile } from "../fixtures.ts";

describe("the page of a profile", { skip: noChromium }, () => {
  let directory: string;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "siphon-flame-"));
    const file = join(directory, "profile.html");
    const profile = exampleProfile({ process: { pid: 4711, name: hostile } });
    await writeFile(file, profileHtml(profile));
    browser = await launchChromium();
    page = await browser.newPage();
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", () => complaints.push("a name was run as a script"));
    await page.goto(`file://${file}`);
  });

  after(async () => {
    await browser?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const box = (name: string) => page.getByRole("treeitem", { name }).first();
  const share = async (name: string) => {
    const [own, whole] = await Promise.all([
      box(name).boundingBox(),
      page.locator(".flame-graph").boundingBox(),
    ]);
    return own!.width / whole!.width;
  };
  const details = () => page.locator(".flame-details").textContent();

  test("boxes are as wide as their share of the samples, callees below callers", async () => {
    assert.ok(Math.abs((await share("start_thread:")) - 1) < 0.01);
    assert.ok(Math.abs((await share("epoll_wait:")) - 0.4) < 0.01);
    const [upper, lower] = await Promise.all([
      box("aes_gcm_cipher").boundingBox(),
      box("_aesni").boundingBox(),
    ]);
    assert.ok(upper!.y < lower!.y);
  });

  test("a click zooms to a function and keeps those above it; Escape goes back", async () => {
    await box("read()").click();
    assert.ok(Math.abs((await share("read()")) - 1) < 0.01);
    assert.equal(await box("epoll_wait:").count(), 0);
    assert.ok(await box("start_thread:").isVisible());
    await page.keyboard.press("Escape");
    assert.ok(await box("epoll_wait:").isVisible());
  });

  test("the keyboard reaches every box, and says what it is", async () => {
    await page.locator(".flame-graph").getByRole("treeitem").first().focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
    assert.match(
      (await details())!,
      /^EventCenter::process_events.*100\.0 % of 100 samples, 60\.0 % of these on a CPU/,
    );
    await page.keyboard.press("ArrowDown");
    assert.match((await details())!, /^read\(\): 59\.0 %/);
    await page.keyboard.press("ArrowRight");
    assert.match((await details())!, /^epoll_wait: 40\.0 %/);
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    assert.ok(Math.abs((await share("read()")) - 1) < 0.01);
    await page.keyboard.press("ArrowUp");
    assert.match((await details())!, /^EventCenter/);
    await page.keyboard.press("Home");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".flame-graph [tabindex='0']").count(), 1, "one stop for the Tab key");
  });

  test("the search marks functions and counts their samples once", async () => {
    await page.locator(".flame-graph [tabindex='0']").focus();
    await page.keyboard.press("/");
    await page.keyboard.type("aes");
    assert.equal(await page.locator(".flame-graph .hit").count(), 2);
    assert.equal(await page.locator(".flame output").textContent(), "2 functions, 35.0 % of samples");
    await page.getByRole("searchbox").fill("");
    assert.equal(await page.locator(".flame-graph .hit").count(), 0);
  });

  test("turned around, functions hang above their callers", async () => {
    const button = page.getByRole("button", { name: "Innermost first" });
    await button.click();
    assert.equal(await button.getAttribute("aria-pressed"), "true");
    assert.ok(Math.abs((await share("memcpy")) - 0.25) < 0.01, "found under two callers, shown as one");
    await button.click();
  });

  test("another thread, and all of them, can be chosen", async () => {
    await page.locator("select").selectOption({ label: "safe_timer (0 % on a CPU)" });
    assert.match((await details())!, /200 samples, 0\.0 % of these on a CPU/);
    await page.locator("select").selectOption("all");
    assert.match((await details())!, /300 samples/);
    assert.ok(Math.abs((await share("safe_timer")) - 2 / 3) < 0.01);
    await page.locator("select").selectOption("0");
  });

  test("on a CPU and waiting differ in colour, in light and in dark", async () => {
    const colorOf = (name: string) =>
      box(name).evaluate(
        (element) => element.ownerDocument.defaultView!.getComputedStyle(element).backgroundColor,
      );
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      assert.notEqual(await colorOf("epoll_wait:"), await colorOf("_aesni"), colorScheme);
    }
  });

  test("nothing runs or loads that should not", () => {
    assert.deepEqual(complaints, []);
  });
});
