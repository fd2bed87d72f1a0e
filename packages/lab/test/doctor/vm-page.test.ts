import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { examine, examineVm, readVms } from "@siphon/doctor";
import type { Browser } from "playwright-core";
import { vmDoctorPage } from "../../src/doctor/vm-page.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";

const hostile = "<img src=x onerror=alert(1)>";
const line =
  "/usr/bin/qemu-system-x86_64 -machine q35 " +
  `-drive file=rbd:vms/${hostile.replaceAll("=", "\\=")}:id=u,if=none,id=d0,format=raw -device virtio-blk-pci,drive=d0`;
const page = vmDoctorPage(examine([{ name: "qemu.txt", text: line }]));

const german = `Büro-Datenbank-mit-einem-langen-Namen-${"ä".repeat(60)}`;
const others = [
  `/usr/bin/kvm -id 101 -name ${german} -drive file=rbd:vms/${"ü".repeat(90)}:id=u,if=none,id=d0,cache=writeback -device virtio-blk-pci,drive=d0`,
  "/usr/bin/kvm -name データベース -drive file=rbd:vms/a:id=u,if=none,id=d0 -device virtio-blk-pci,drive=d0 -drive file=rbd:vms/b:id=u,if=ide",
];
/** Several VMs, in files with long names, with what was and what was not seen. */
const many = readVms([
  { name: "qemu.txt", text: line },
  ...others.map((text, at) => ({ name: `/srv/${"backups-of-configurations/".repeat(6)}${at}.txt`, text })),
]).map((vm) => {
  vm.notes.push(`In 10 s its threads used of a core each: ${"msgr-worker-0 43 %, ".repeat(20)}`);
  vm.unseen.push(`what QEMU says of its disks (/var/run/${"a-directory/".repeat(20)}qmp.sock): EACCES`);
  return examineVm(vm);
});

/** What is wider than the window, or hides a part of its own text; code may scroll in its box. */
const misplacedParts = `(() => {
  const wide = document.documentElement.clientWidth;
  const found = document.documentElement.scrollWidth > wide ? ["the page is " + document.documentElement.scrollWidth] : [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("pre")) continue;
    const { left, right, width } = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const hides = style.overflowX === "hidden" && element.scrollWidth > element.clientWidth + 1;
    if ((width > 0 && (right > wide + 1 || left < -1)) || hides)
      found.push(element.tagName + " " + element.textContent.slice(0, 60));
  }
  return found;
})()`;

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

  for (const width of [1280, 768, 390])
    for (const colorScheme of ["light", "dark"] as const)
      test(`${width} pixels wide, in ${colorScheme}, nothing runs over the edge or is cut off, and names are as they were given`, async () => {
        await using context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
        const tab = await context.newPage();
        for (const [name, html] of [
          ["many.html", vmDoctorPage(many)],
          ["one.html", vmDoctorPage(many.slice(1, 2))],
        ] as const) {
          await writeFile(join(directory, name), html);
          await tab.goto(pathToFileURL(join(directory, name)).href);
          assert.deepEqual(await tab.evaluate(misplacedParts), [], name);
          const text = await tab.locator("body").innerText();
          assert.ok(text.includes(german), "the name is there, letter by letter");
          assert.doesNotMatch(text, /\ufffd|\u00c3|\u00e3\u0083|undefined|NaN|\[object/);
        }
      });

  test("on paper the changes are there, and nothing is wider than the sheet", async () => {
    await using context = await browser.newContext({ viewport: { width: 700, height: 900 } });
    const tab = await context.newPage();
    const file = join(directory, "paper.html");
    await writeFile(file, vmDoctorPage(many));
    await tab.goto(pathToFileURL(file).href);
    await tab.emulateMedia({ media: "print" });
    assert.ok(await tab.locator("pre").first().isVisible());
    assert.equal(await tab.locator("nav").isVisible(), false);
    const wide = await tab.evaluate(
      "document.documentElement.scrollWidth > document.documentElement.clientWidth",
    );
    assert.equal(wide, false);
  });
});
