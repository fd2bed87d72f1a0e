import assert from "node:assert/strict";
import { before, test } from "node:test";
import { findings } from "../../src/report/findings.ts";
import { drawLadderCharts } from "../../src/report/ladder-report.ts";
import { ladderMarkdown } from "../../src/report/markdown.ts";
import type { Results } from "../../src/results/schema.ts";
import { exampleResults } from "../fixtures/results.ts";
import { measured } from "../fixtures/rungs.ts";

const results = exampleResults({ complete: false });
let markdown: string;

async function render(of: Results): Promise<string> {
  const found = findings(of);
  return ladderMarkdown(found, await drawLadderCharts(found));
}

before(async () => {
  markdown = await render(results);
});

test("it begins with the main finding", () => {
  assert.match(markdown, /^# The VM reaches 12,500 IOPS /);
});

test("it shows every rung in the table and on its own", () => {
  for (const rung of results.rungs) {
    assert.ok(markdown.includes(`| ${rung.title} |`), rung.name);
    assert.ok(markdown.includes(`### ${rung.title}`), rung.name);
  }
});

test("rows of a table have as many cells as its head, whatever a cell says", () => {
  for (const block of markdown.split("\n\n").filter((part) => part.startsWith("|"))) {
    const cells = block.split("\n").map((line) => line.replaceAll("\\|", "").split("|").length);
    assert.equal(new Set(cells).size, 1, block);
  }
});

test("text from outside carries no markup", () => {
  const prose = markdown.replace(/^(`{3,})sh\n.*?\n\1$/gms, "");
  assert.doesNotMatch(prose, /(?<!\\)<(script|img)/);
});

test("command lines stand in fences that they cannot close", async () => {
  const command = "qemu -append '\n```\n# not a heading'";
  const rung = { ...measured(results, "ide"), command };
  const rendered = await render({ ...results, rungs: [rung] });
  assert.ok(rendered.includes(`\`\`\`\`sh\n${command}\n\`\`\`\``));
});

test("charts are pictures beside the file", () => {
  for (const name of ["ladder", "factors", "latency", "cpu", "threads"]) {
    assert.ok(markdown.includes(`](${name}.svg)`), name);
  }
});

test("it says how to measure the same again", () => {
  const [command] = markdown.match(/npm run ladder.*?\n```/s)!;
  for (const option of [
    "--mode cumulative",
    "--rw randread --bs 16k --iodepth 128 --size 1024m",
    "--repeat 5",
  ]) {
    assert.ok(command.includes(option), command);
  }
  assert.match(command, /--seconds 8 --seed 1 \\\n {2}--accel tcg\n/);
});

test("response curves are pictures with a table of all points for each mix, and the command measures them again", async () => {
  const curves = await render(exampleResults({ curves: true }));
  for (const mix of ["read", "70-30"]) {
    for (const figure of ["p50", "p99"]) assert.ok(curves.includes(`(curve-${mix}-${figure}.svg)`), mix);
  }
  assert.match(curves, /^\| default \(IDE\) \| 1, knee \|/m);
  assert.match(curves, /--depths 1,4,16,64,128 --mix read,70\/30/);
  assert.ok(!markdown.includes("Latency against throughput"));
});
