/**
 * Compares placements with crushtool and osdmaptool over generated maps, as the live tests do, but for any number of
 * maps. Ends with an error at the first difference; its seed reproduces it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crushText, shapes } from "../../../rados/test/support/crush-text.ts";
import { Random } from "../../../rados/test/support/random.ts";
import { begin, count } from "../../program.ts";
import { comparePlacements } from "../../support/rados/crush-oracle.ts";
import { comparePgs } from "../../support/rados/osdmap-oracle.ts";

const values = await begin(
  "soak:placements",
  "Compares placements with crushtool and osdmaptool over generated maps.",
  {
    maps: count("number of maps", 500),
    seed: count("seed of the first map", 1_000_000, 0),
  },
);
const first = values.seed;
const last = first + values.maps - 1;
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
