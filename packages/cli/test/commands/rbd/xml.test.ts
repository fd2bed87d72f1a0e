import assert from "node:assert/strict";
import { test } from "node:test";
import { toXml } from "../../../src/commands/rbd/xml.ts";

test("items of lists get the given names, fields their own", () => {
  const image = { name: "a&b", flags: [], features: ["x", "y"], "group snap": "s", missing: undefined };
  assert.equal(
    toXml(image, { root: "image", items: { features: "feature" } }),
    "<image><name>a&amp;b</name><flags></flags><features><feature>x</feature><feature>y</feature></features><group_snap>s</group_snap></image>\n",
  );
});

test("pretty output indents each level by one space, and ends with an empty line", () => {
  const names = { root: "rows", items: { rows: (row: object) => ("snap" in row ? "snapshot" : "image") } };
  assert.equal(
    toXml([{ id: 1 }, { snap: "s" }], names, true),
    "<rows>\n <image>\n  <id>1</id>\n </image>\n <snapshot>\n  <snap>s</snap>\n </snapshot>\n</rows>\n\n",
  );
});
