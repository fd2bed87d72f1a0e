import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { doctorPage } from "../../../../scripts/build/doctor-page.ts";
import { readCases } from "../../../doctor/test/support/case.ts";
import { examinePasted } from "../../src/doctor/paste/examine-pasted.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";

const key = "AQDmSgdnAAAAABAAu1VnQ0p2Zk1qTkJ4cVd5UQ==";
const line = `/usr/bin/kvm -drive file=rbd:vms/<i>db</i>:id=u:key=${key.replaceAll("=", "\\=")},if=none,id=d0 -device virtio-blk-pci,drive=d0`;

describe("the doctor as a page", { skip: noChromium, timeout: 240_000 }, () => {
  let directory: string;
  let browser: Browser;
  let tab: Page;
  const heard: string[] = [];
  const requests: string[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "siphon-paste-page-"));
    const file = join(directory, "doctor.html");
    await writeFile(file, await doctorPage());
    browser = await launchChromium();
    tab = await browser.newPage({ viewport: { width: 390, height: 900 } });
    tab.on("console", (message) => heard.push(message.text()));
    tab.on("pageerror", (error) => heard.push(error.message));
    tab.on("request", (request) => requests.push(request.url()));
    await tab.goto(pathToFileURL(file).href);
  });

  after(async () => {
    await browser?.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function examine(text: string): Promise<string> {
    await tab.getByLabel("Configuration").fill(text);
    await tab.evaluate("document.getElementById('result').replaceChildren()");
    await tab.getByRole("button", { name: "Examine" }).click();
    await tab.locator("#result > *").first().waitFor();
    return tab.locator("#result").innerText();
  }

  test("pasted text is examined, and no key appears in the findings", async () => {
    const text = await examine(line);
    for (const id of ["cache-librbd-on", "iothread-missing", "key-exposed"]) assert.ok(text.includes(id), id);
    assert.ok(!text.includes(key));
    assert.ok(text.includes("<i>db</i>"), "text from outside stays text");
    assert.ok(await tab.locator("#result button").first().isVisible(), "changes can be copied");
    const { scroll, client } = await tab.evaluate<{ scroll: number; client: number }>(
      "({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth })",
    );
    assert.equal(scroll, client, "nothing runs over the edge of a telephone");
  });

  test("chosen files are examined together", async () => {
    const { files } = readCases(join(import.meta.dirname, "../../../doctor/test/cases")).find(
      ({ name }) => name === "17-proxmox9-block-layers",
    )!;
    await tab.getByLabel("Configuration").fill("");
    await tab
      .getByLabel("Files")
      .setInputFiles(
        files.map(({ name, text }) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) })),
      );
    await tab.getByRole("button", { name: "Examine" }).click();
    await tab.getByRole("heading", { name: "vm17 117 (qemu, by proxmox)", exact: true }).waitFor();
    await tab.getByLabel("Files").setInputFiles([]);
  });

  test("text that is not a configuration is recognized", async () => {
    assert.match(await examine("Dear all,\nsee you at lunch.\n"), /none of the formats/);
    assert.match(await examine(""), /describes a VM/);
  });

  test("a chosen file may be UTF-16", async () => {
    await tab.getByLabel("Configuration").fill("");
    const buffer = Buffer.from(`\uFEFF${line}`, "utf16le");
    await tab.getByLabel("Files").setInputFiles([{ name: "a.txt", mimeType: "text/plain", buffer }]);
    await tab.getByRole("button", { name: "Examine" }).click();
    await tab.getByText("key-exposed").first().waitFor();
    await tab.getByLabel("Files").setInputFiles([]);
  });

  test("a fault of the doctor is said in the place of the findings of the text before", async () => {
    assert.match(await examine(line), /cache-librbd-on/);
    await tab.evaluate("globalThis.kept = String.prototype.matchAll; String.prototype.matchAll = undefined");
    await tab.getByRole("button", { name: "Examine" }).click();
    await tab.getByText("the doctor itself fails at it").waitFor();
    assert.doesNotMatch(await tab.locator("#result").innerText(), /cache-librbd-on/);
    await tab.evaluate("String.prototype.matchAll = globalThis.kept");
  });

  test("all cases give in the browser what they give here", async () => {
    for (const directory of ["cases", "more-cases"])
      for (const { name, files } of readCases(join(import.meta.dirname, "../../../doctor/test", directory))) {
        const there = await tab.evaluate<string>(`examinePasted(${JSON.stringify(files)})`);
        assert.equal(there, examinePasted(files), name);
      }
  });

  test("the network is asked for nothing, and the console is silent", () => {
    assert.deepEqual(heard, []);
    assert.equal(requests.filter((url) => !url.startsWith("data:")).length, 1, requests.join(" "));
  });
});
