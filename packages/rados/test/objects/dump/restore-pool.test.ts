import assert from "node:assert/strict";
import { test } from "node:test";
import { restorePool } from "../../../src/objects/dump/restore-pool.ts";
import { dumpStart, section, sectionKind } from "../../../src/objects/dump/sections.ts";
import type { Pool } from "../../../src/objects/pool.ts";

const untouched = {} as Pool;

/** A dump of these sections, and whether it was closed. */
function source(...sections: Buffer[]) {
  const state = { isClosed: false };
  async function* bytes() {
    try {
      yield Buffer.concat([dumpStart(), ...sections]);
    } finally {
      state.isClosed = true;
    }
  }
  return { bytes: bytes(), state };
}

test("a dump is closed at its end, and where it makes no sense", async () => {
  const { poolBegin, poolEnd, objectBegin, objectEnd } = sectionKind;
  const whole = source(section(poolBegin), section(poolEnd), Buffer.alloc(1));
  await restorePool(untouched, whole.bytes);
  assert.ok(whole.state.isClosed);
  const nothing = section(objectBegin, () => {});
  for (const sections of [[section(objectEnd)], [section(poolBegin), nothing]]) {
    const { bytes, state } = source(...sections);
    await assert.rejects(restorePool(untouched, bytes), { code: "EFAULT" });
    assert.ok(state.isClosed);
  }
});
