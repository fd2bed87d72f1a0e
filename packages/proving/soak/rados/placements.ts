/**
 * Compares placements with crushtool and osdmaptool over generated maps, as the live tests do, but for any number of
 * maps: `node placements.ts [--maps N] [--seed S]`. Ends with an error at the first difference; its seed reproduces it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { crushText, shapes } from "../../../rados/test/support/crush-text.ts";
import { Random } from "../../../rados/test/support/random.ts";
import { comparePlacements } from "../../support/rados/crush-oracle.ts";
import { comparePgs } from "../../support/rados/osdmap-oracle.ts";
import { endOnSignals } from "../end-on-signals.ts";

const { values } = parseArgs({
  options: { maps: { type: "string", default: "500" }, seed: { type: "string", default: "1000000" } },
});
await endOnSignals();
const first = Number(values.seed);
const last = first + Number(values.maps) - 1;
const algorithms = ["uniform", "list", "tree", "straw", "straw2", "straw2", undefined] as const;

const directory = await mkdtemp(join(tmpdir(), "siphon-soak-"));
let seed = first;
try {
  for (; seed <= last; seed++) {
    const random = new Random(seed);
    const shape = random.pick(shapes);
    const algorithm = random.pick(algorithms);
    const map = crushText(random, shape, algorithm, random.chance(0.5) ? 0 : undefined);
    await comparePlacements(directory, `seed ${seed}`, random, map);
    await comparePgs(directory, random, shape);
    if ((seed - first + 1) % 50 === 0) console.log(`${seed - first + 1} of each equal, up to seed ${seed}`);
  }
} catch (error) {
  console.error(`the maps of seed ${seed} are placed otherwise`);
  throw error;
} finally {
  await rm(directory, { recursive: true });
}
