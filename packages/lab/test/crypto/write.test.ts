import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeCrypto } from "../../src/crypto/write.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";
import { exampleCrypto } from "./fixtures.ts";

const directory = await mkdtemp(join(tmpdir(), "siphon-crypto-"));
after(() => rm(directory, { recursive: true, force: true }));

const measured = { rung: "+ encryption", iops: { median: 8_700, low: 8_500, high: 8_900 }, encrypted: true };

test("the JSON form holds the results", async () => {
  const results = exampleCrypto();
  const { json } = await writeCrypto(directory, results, { threads: 3 });
  assert.deepEqual(JSON.parse(await readFile(json, "utf8")), results);
});

test("the page shows every size of every source beside the study's", { skip: noChromium }, async () => {
  const skipped = [{ source: "evp" as const, reason: "koffi did not load" }];
  const results = exampleCrypto({ skipped, complete: false });
  results.series = results.series.filter(({ source }) => source !== "evp");
  const { html } = await writeCrypto(directory, results, { threads: 3, measured });
  await using browser = await launchChromium();
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`file://${html}`);
  const study = page.locator("#decrypt tbody tr", { hasText: "the study" });
  assert.equal((await study.locator("td").allTextContents()).join(" ").replaceAll("\u00a0", " "), studyCells);
  assert.equal(await page.locator("#encrypt tbody tr").count(), 2);
  assert.equal(await page.locator("#decrypt svg:visible, #encrypt svg:visible").count(), 2);
  assert.match(
    (await page.locator("header").textContent())!,
    /EVP by koffi was not measured: koffi did not load/,
  );
  assert.match((await page.locator("#ceiling").textContent())!, /at 8,700 IOPS/);
  assert.deepEqual(complaints, []);
});

const studyCells = "322 MB/s 1,099 MB/s 2,269 MB/s 3,429 MB/s 3,996 MB/s 4,038 MB/s";
