import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { decodeCrushMap } from "../../../rados/src/crush/decode.ts";
import { CrushMapper } from "../../../rados/src/crush/mapper.ts";
import type { CrushText } from "../../../rados/test/support/crush-text.ts";
import type { Random } from "../../../rados/test/support/random.ts";

const run = promisify(execFile);
const inputs = 300;

/**
 * Compares our placement of inputs with crushtool's: for all rules of a map, with a few devices out or partly in, and a size that
 * pools have.
 *
 * @param directory for temporary files
 */
export async function comparePlacements(
  directory: string,
  label: string,
  random: Random,
  map: CrushText,
): Promise<void> {
  const textPath = join(directory, "map.txt");
  const mapPath = join(directory, "map");
  await writeFile(textPath, map.text);
  await run("crushtool", ["-c", textPath, "-o", mapPath]);
  const mapper = new CrushMapper(decodeCrushMap(await readFile(mapPath)));

  const weights = new Uint32Array(map.devices).fill(0x10000);
  // If no device is in, crushtool prints nothing at all.
  const count = map.devices === 1 ? 0 : Math.ceil(map.devices / 10);
  const reweighted = Array.from({ length: count }, () => random.below(map.devices));
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
