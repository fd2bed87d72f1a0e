import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { OsdMap } from "../../../rados/src/osdmap/osdmap.ts";
import { formatPgId } from "../../../rados/src/osdmap/pg.ts";
import { shapes } from "../../../rados/test/support/crush-text.ts";
import { osdMapBytes } from "../../../rados/test/support/osdmap-bytes.ts";
import { Random } from "../../../rados/test/support/random.ts";
import { comparePgs, generateMap } from "../../support/rados/osdmap-oracle.ts";

const run = promisify(execFile);
let directory = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "siphon-osdmap-"));
});

after(() => rm(directory, { recursive: true }));

for (const [index, shape] of [...shapes, ...shapes].entries()) {
  test(`every PG is where osdmaptool places it: ${shape.devices} OSDs, seed ${index}`, async () => {
    await comparePgs(directory, new Random(index), shape);
  });
}

test("objects belong to the PGs that osdmaptool names, whatever their names", async () => {
  const random = new Random(99);
  const spec = await generateMap(directory, random, shapes[2]);
  const path = join(directory, "osdmap");
  await writeFile(path, osdMapBytes(spec));
  const map = OsdMap.decode(await readFile(path));
  const pool = map.pool(1)!;
  for (const name of [
    "a",
    "rbd_data.10226b8b4567.0000000000000a3f",
    "x".repeat(300),
    "größe",
    "with space",
  ]) {
    const { stdout } = await run("osdmaptool", [path, "--test-map-object", name, "--pool", "1"]);
    assert.equal(/-> (\S+) ->/.exec(stdout)?.[1], formatPgId(map.pgOf(pool, name)));
  }
});
