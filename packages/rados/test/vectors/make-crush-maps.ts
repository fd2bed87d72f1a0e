/**
 * Makes crush-maps.json.gz: generated CRUSH maps of every kind, compiled by crushtool, with what crushtool
 * places where. Run: `node make-crush-maps.ts`.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { crushText, shapes } from "../support/crush-text.ts";
import { Random } from "../support/random.ts";
import type { CrushVector } from "./crush-maps.ts";

const run = promisify(execFile);
const size = 4;
const inputs = 12;

const directory = await mkdtemp(join(tmpdir(), "siphon-vectors-"));
const path = join(directory, "map");
const vectors: CrushVector[] = [];
for (const shape of shapes.slice(1, 4)) {
  for (const algorithm of ["uniform", "list", "tree", "straw", "straw2", undefined] as const) {
    const random = new Random(vectors.length);
    const { text } = crushText(random, shape, algorithm, algorithm === "straw2" ? 0 : undefined);
    await writeFile(`${path}.txt`, text);
    await run("crushtool", ["-c", `${path}.txt`, "-o", path]);
    const out = random.below(shape.devices);
    const args = ["--test", "--show-mappings", "--num-rep", `${size}`];
    args.push("--min-x", "0", "--max-x", `${inputs - 1}`, "--weight", `${out}`, "0");
    const { stdout } = await run("crushtool", ["-i", path, ...args]);
    const placements = [...stdout.matchAll(/CRUSH rule (\d+) x (\d+) (\[.*\])/g)];
    vectors.push({
      devices: shape.devices,
      out,
      size,
      map: (await readFile(path)).toString("base64"),
      placements: placements.map(([, rule, x, osds]) => [Number(rule), Number(x), JSON.parse(osds!)]),
    });
  }
}
await rm(directory, { recursive: true });
const compressed = gzipSync(JSON.stringify(vectors), { level: 9 });
await writeFile(new URL("crush-maps.json.gz", import.meta.url), compressed);
console.log(`${vectors.length} maps, ${compressed.length} bytes`);
