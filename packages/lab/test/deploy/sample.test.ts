import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { parseInventory } from "../../src/deploy/inventory.ts";
import { daemonsOn, place } from "../../src/deploy/placement.ts";

test("the sample in the documentation is an inventory", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../docs/deploy.md"), "utf8");
  const [, sample] = /```yaml\n([\s\S]*?)```/.exec(page)!;
  const placements = place(parseInventory(parse(sample)));
  assert.deepEqual(
    placements.map((placement) => daemonsOn(placement).map(({ name }) => name)),
    [
      ["mon.a", "mgr.x", "osd.0", "osd.1"],
      ["mon.b", "osd.2"],
      ["mon.c", "osd.3"],
    ],
  );
});
