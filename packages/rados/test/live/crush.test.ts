import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { decodeCrushMap } from "../../src/crush/decode.ts";
import { CrushMapper } from "../../src/crush/mapper.ts";
import { type CrushText, crushText, shapes } from "../support/crush-text.ts";
import { Random } from "../support/random.ts";

const run = promisify(execFile);
const inputs = 300;
let directory = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "siphon-crush-"));
});

after(() => rm(directory, { recursive: true }));

for (const algorithm of ["uniform", "list", "tree", "straw", "straw2", undefined] as const) {
  test(`every placement is that of crushtool: buckets of ${algorithm ?? "mixed"} algorithm`, async () => {
    for (const [index, shape] of shapes.entries()) {
      const seed = 100 * index + (algorithm?.length ?? 0);
      const random = new Random(seed);
      await comparePlacements(`seed ${seed}`, random, crushText(random, shape, algorithm));
    }
  });
}

test("every placement is that of crushtool: weight sets and replacement ids", async () => {
  for (const [index, shape] of [...shapes, ...shapes].entries()) {
    const random = new Random(7000 + index);
    const map = crushText(random, shape, index < shapes.length ? "straw2" : undefined, 0);
    await comparePlacements(`seed ${7000 + index}`, random, map);
  }
});

/** All rules of a map, with a few devices out or half in, for the result sizes of pools. */
async function comparePlacements(label: string, random: Random, map: CrushText): Promise<void> {
  const textPath = join(directory, "map.txt");
  const mapPath = join(directory, "map");
  await writeFile(textPath, map.text);
  await run("crushtool", ["-c", textPath, "-o", mapPath]);
  const mapper = new CrushMapper(decodeCrushMap(await readFile(mapPath)));

  const weights = new Uint32Array(map.devices).fill(0x10000);
  const reweighted = Array.from({ length: Math.ceil(map.devices / 10) }, () => random.below(map.devices));
  const weightOptions = reweighted.flatMap((device) => {
    const weight = random.pick([0, 0.25, 0.5, 0.75]);
    weights[device] = weight * 0x10000;
    return ["--weight", String(device), String(weight)];
  });

  const size = random.pick([1, 2, 3, 3, 5, 6]);
  const { stdout } = await run(
    "crushtool",
    ["-i", mapPath, "--test", "--show-mappings", "--num-rep", String(size), "--min-x", "0"].concat([
      ...["--max-x", String(inputs - 1)],
      ...weightOptions,
    ]),
    { maxBuffer: 2 ** 28 },
  );
  const out = new Int32Array(size);
  const ours: string[] = [];
  for (let rule = 0; rule < map.rules; rule++) {
    for (let x = 0; x < inputs; x++) {
      const filled = mapper.place(rule, x, size, weights, 0, out);
      ours.push(`CRUSH rule ${rule} x ${x} [${out.subarray(0, filled).join(",")}]`);
    }
  }
  const theirs = stdout.split("\n").filter((line) => line.startsWith("CRUSH rule"));
  assert.equal(theirs.length, map.rules * inputs, label);
  const differing = theirs.findIndex((line, i) => line !== ours[i]);
  assert.equal(ours[differing], theirs[differing], label);
}
