import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPgId, PgTable } from "../../src/osdmap/pg.ts";

const pg = (pool: number, seed: number) => ({ pool, seed });

test("a PG is written with its seed in hexadecimal", () => {
  assert.equal(formatPgId(pg(12, 0x1f)), "12.1f");
});

test("a table with changes leaves the table it came from", () => {
  const before = PgTable.from([
    [pg(1, 1), "a"],
    [pg(1, 2), "b"],
    [pg(2, 1), "c"],
  ]);
  const after = before.with([[pg(1, 1), "x"]], [pg(2, 1), pg(3, 3)]);
  assert.deepEqual([before.get(1, 1), before.get(2, 1), before.size], ["a", "c", 3]);
  assert.deepEqual([after.get(1, 1), after.get(1, 2), after.get(2, 1), after.size], ["x", "b", undefined, 2]);
  assert.deepEqual(
    [...after.entries()],
    [
      [pg(1, 1), "x"],
      [pg(1, 2), "b"],
    ],
  );
});

test("a table without changes is itself", () => {
  const table = PgTable.from([[pg(1, 1), "a"]]);
  assert.equal(table.with([], []), table);
});
