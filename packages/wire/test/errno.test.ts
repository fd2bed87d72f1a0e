import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import { errno, errnoName, errnoNumber } from "@siphon/wire";

test("numbers are the C library's, where the machine runs Linux", {
  skip: process.platform !== "linux",
}, () => {
  for (const [name, number] of Object.entries(constants.errno))
    assert.equal(
      errnoNumber(name === "EWOULDBLOCK" ? "EAGAIN" : name === "ENOTSUP" ? "EOPNOTSUPP" : name),
      number,
      name,
    );
});

test("every number has one name", () => {
  const entries = Object.entries(errno);
  assert.equal(new Set(entries.map(([, number]) => number)).size, entries.length);
  for (const [name, number] of entries) assert.equal(errnoName(-number), name);
  assert.equal(errnoName(-4095), undefined);
  assert.equal(errnoNumber("SIPHON_USAGE"), undefined);
  assert.equal(errnoNumber("toString"), undefined);
});
