import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { examine } from "@siphon/doctor";
import type { Browser } from "playwright-core";
import { vmDoctorPage } from "../../src/doctor/vm-page.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";

const hostile = "<img src=x onerror=alert(1)>";
const line =
  "/usr/bin/qemu-system-x86_64 -machine q35 " +
  `-drive file=rbd:vms/${hostile.replaceAll("=", "\\=")}:id=u,if=none,id=d0,format=raw -device virtio-blk-pci,drive=d0`;
const page = vmDoctorPage(examine([{ name: "qemu.txt", text: line }]));

describe("the doctor's page in a browser", { skip: noChromium, timeout: 240_000 }, () => {
  let directory: string;
  let url: string;
  let browser: Browser;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "siphon-doctor-page-"));
    const file = join(directory, "page.html");
    await writeFile(file, page);
    url = pathToFileURL(file).href;
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    await rm(directory, { recursive: true, force: true });
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`it shows every finding with its change, asks the network for nothing, in ${colorScheme}`, async () => {
      await using context = await browser.newContext({ colorScheme, viewport: { width: 1000, height: 900 } });
      const tab = await context.newPage();
      const heard: string[] = [];
      const requests: string[] = [];
      tab.on("console", (message) => heard.push(message.text()));
      tab.on("pageerror", (error) => heard.push(error.message));
      tab.on("request", (request) => requests.push(request.url()));
      await tab.goto(url);
      const text = (await tab.locator("main").innerText()) ?? "";
      for (const id of ["cache-librbd-on", "iothread-missing", "accel-tcg"]) assert.ok(text.includes(id), id);
      assert.ok(text.includes("cache=none in the -drive"));
      assert.equal(await tab.locator("img").count(), 0, "text from outside stays text");
      assert.deepEqual(heard, []);
      assert.deepEqual(
        requests.filter((request) => request !== url && !request.startsWith("data:")),
        [],
      );
    });
  }

  test("on paper the changes are there, and nothing is wider than the sheet", async () => {
    await using context = await browser.newContext({ viewport: { width: 700, height: 900 } });
    const tab = await context.newPage();
    await tab.goto(url);
    await tab.emulateMedia({ media: "print" });
    assert.ok(await tab.locator("pre").first().isVisible());
    assert.equal(await tab.locator("nav").isVisible(), false);
    const wide = await tab.evaluate(
      "document.documentElement.scrollWidth > document.documentElement.clientWidth",
    );
    assert.equal(wide, false);
  });
});
