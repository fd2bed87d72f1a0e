import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeHtml, html, trusted } from "../../src/report/html.ts";

test("text that looks like markup stays text", () => {
  assert.equal(
    html`<p title="${'"><script>'}">${"<b>&'"}</p>`.toString(),
    '<p title="&quot;&gt;&lt;script&gt;">&lt;b&gt;&amp;&#39;</p>',
  );
});

test("markup inside markup is not escaped again", () => {
  assert.equal(
    html`<ul>${["a", "<"].map((item) => html`<li>${item}</li>`)}</ul>`.toString(),
    "<ul><li>a</li><li>&lt;</li></ul>",
  );
  assert.equal(html`<i>${trusted("<svg/>")}</i>`.toString(), "<i><svg/></i>");
});

test("undefined and false give nothing, zero gives zero", () => {
  assert.equal(html`[${undefined}${false}${0}]`.toString(), "[0]");
});

test("no text leaves a character that could end an element or an attribute", () => {
  fc.assert(fc.property(fc.string(), (text) => assert.doesNotMatch(escapeHtml(text), /[<>"']/)));
});
