import assert from "node:assert/strict";
import { before, test } from "node:test";
import { palette } from "../../../src/report/charts/palette.ts";
import type { RenderedChart } from "../../../src/report/charts/render.ts";
import { findings } from "../../../src/report/findings.ts";
import { drawLadderCharts } from "../../../src/report/ladder-report.ts";
import { exampleResults, hostile } from "../../fixtures/results.ts";

let charts: RenderedChart[];

before(async () => {
  const results = exampleResults();
  const [first, ...rest] = results.rungs;
  const { curves, ...others } = await drawLadderCharts(
    findings({ ...results, rungs: [{ ...first!, title: hostile }, ...rest] }),
  );
  assert.deepEqual(curves, []);
  charts = Object.values(others).filter((chart) => chart !== undefined);
});

test("all five charts of a ladder are drawn", () => {
  assert.deepEqual(
    charts.map(({ name }) => name),
    ["ladder", "factors", "latency", "cpu", "threads"],
  );
});

test("each drawing has a title and a description of its own", () => {
  for (const { name, title, description, inline, file } of charts) {
    assert.ok(title && description.length > 40, name);
    for (const svg of [inline.wide, inline.narrow, file]) {
      assert.match(
        svg,
        /^<svg[^>]* role="img" aria-labelledby="(\S+-title) (\S+-desc)"><title id="\1">.+<\/title><desc id="\2">/s,
      );
    }
  }
});

test("titles that look like markup stay text", () => {
  for (const { inline, file } of charts) {
    for (const svg of [inline.wide, inline.narrow, file]) assert.doesNotMatch(svg, /<script|<img/);
  }
});

test("only colours of the palette are used, so that a dark page can replace each", () => {
  const known = new Set<string>(Object.values(palette).map(({ light }) => light));
  for (const { name, inline } of charts) {
    for (const [, color] of `${inline.wide}${inline.narrow}`.matchAll(/ (?:fill|stroke)="([^"]*)"/g)) {
      assert.ok(color === "none" || color === "transparent" || known.has(color!), `${name}: ${color}`);
    }
  }
});

test("a chart in a file of its own has a ground and dark colours; one in a page leaves both to the page", () => {
  for (const { inline, file } of charts) {
    assert.match(file, /prefers-color-scheme:dark/);
    assert.match(file, /<rect x="-16" y="-16" width="100%" height="100%"/);
    assert.doesNotMatch(inline.wide, /<style|height="100%"/);
  }
});
