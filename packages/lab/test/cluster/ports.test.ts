import assert from "node:assert/strict";
import { test } from "node:test";
import { freePorts } from "../../src/cluster/ports.ts";

test("free ports are different ones, outside the range of outgoing connections and of Ceph's daemons", async () => {
  const ports = await freePorts(20);
  assert.equal(new Set(ports).size, 20);
  assert.ok(ports.every((port) => port >= 10_000 && port < 32_000));
});
