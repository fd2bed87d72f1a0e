import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { crushText, shapes } from "../../../rados/test/support/crush-text.ts";
import { Random } from "../../../rados/test/support/random.ts";
import { comparePlacements } from "../../support/rados/crush-oracle.ts";

let directory = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "siphon-crush-"));
});

after(() => rm(directory, { recursive: true }));

for (const algorithm of ["uniform", "list", "tree", "straw", "straw2", undefined] as const) {
  test(`every placement is crushtool's: buckets of ${algorithm ?? "mixed"} algorithm`, async () => {
    for (const [index, shape] of shapes.entries()) {
      const seed = 100 * index + (algorithm?.length ?? 0);
      const random = new Random(seed);
      await comparePlacements(directory, `seed ${seed}`, random, crushText(random, shape, algorithm));
    }
  });
}

test("every placement is crushtool's: weight sets and replacement ids", async () => {
  for (const [index, shape] of [...shapes, ...shapes].entries()) {
    const random = new Random(7000 + index);
    const map = crushText(random, shape, index < shapes.length ? "straw2" : undefined, 0);
    await comparePlacements(directory, `seed ${7000 + index}`, random, map);
  }
});
