import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDensityOptions } from "../../src/density/options.ts";

test("VMs are counted upwards, and each has the load for itself", () => {
  const options = parseDensityOptions({ vms: [2, 1], ways: ["librbd", "siphon-one"] });
  assert.deepEqual([options.vms, options.iodepth, options.repeat], [[1, 2], 16, 3]);
  assert.equal(options.vm.memory, 384 * 2 ** 20);
});

for (const [input, message] of [
  [{ vms: [0] }, /vms/],
  [{ vms: [Number.NaN] }, /vms/],
  [{ vms: [2, 2] }, /named twice/],
  [{ ways: [] }, /ways/],
  [{ vms: [2], vm: { memory: "900T" } }, /2 VMs of 900 TiB do not fit/],
] as [Parameters<typeof parseDensityOptions>[0], RegExp][]) {
  test(`${JSON.stringify(input)} is refused`, () => {
    assert.throws(() => parseDensityOptions(input), { code: "SIPHON_USAGE", message });
  });
}
