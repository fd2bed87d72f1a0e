import assert from "node:assert/strict";
import { test } from "node:test";
import { contextsFor, parseContextQuery } from "../../src/nbd/meta-context.ts";
import { MemoryDevice } from "../support/memory-device.ts";
import { contextQuery, u32 } from "../support/nbd-client.ts";

const device = new MemoryDevice({ size: 1 << 20 });
device.snapshot("monday");
device.snapshot("with/slash");

function names(queries: string[], setting: boolean): string[] {
  return contextsFor(device, queries, setting).map(({ name }) => name);
}

test("listing without a query tells every context, with a namespace or a beginning those in it", () => {
  const diffs = ["siphon:diff/monday", "siphon:diff/with/slash"];
  assert.deepEqual(names([], false), ["base:allocation", ...diffs]);
  assert.deepEqual(names(["base:"], false), ["base:allocation"]);
  assert.deepEqual(names(["siphon:diff/"], false), diffs);
  assert.deepEqual(names(["qemu:allocation-depth"], false), []);
});

test("setting takes whole names only, each with an id of its own", () => {
  assert.deepEqual(names([], true), []);
  assert.deepEqual(names(["base:", "siphon:diff/tuesday"], true), []);
  const both = contextsFor(device, ["siphon:diff/monday", "base:allocation"], true);
  assert.deepEqual(both, [
    { id: 1, name: "base:allocation", since: undefined },
    { id: 2, name: "siphon:diff/monday", since: "monday" },
  ]);
});

test("a query whose lengths do not add up is none", () => {
  assert.deepEqual(parseContextQuery(contextQuery("a", ["b:c"])), { exportName: "a", queries: ["b:c"] });
  const whole = contextQuery("pool/disk", ["base:allocation"]);
  for (let length = 0; length < whole.length; length++) {
    assert.equal(parseContextQuery(whole.subarray(0, length)), undefined);
  }
  assert.equal(parseContextQuery(Buffer.concat([whole, Buffer.alloc(1)])), undefined);
  assert.equal(parseContextQuery(Buffer.concat([u32(0), u32(0xffff_ffff)])), undefined);
});
