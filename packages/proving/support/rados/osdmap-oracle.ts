import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ITEM_NONE } from "../../../rados/src/crush/map.ts";
import { OsdMap } from "../../../rados/src/osdmap/osdmap.ts";
import { formatPgId, type PgId } from "../../../rados/src/osdmap/pg.ts";
import { crushText, type Shape } from "../../../rados/test/support/crush-text.ts";
import { type MapSpec, osdMapBytes, type PoolSpec } from "../../../rados/test/support/osdmap-bytes.ts";
import type { Random } from "../../../rados/test/support/random.ts";

const run = promisify(execFile);

/**
 * Compares our placement of every PG of a generated map with osdmaptool's.
 *
 * @param directory for temporary files
 */
export async function comparePgs(directory: string, random: Random, shape: Shape): Promise<void> {
  const spec = await generateMap(directory, random, shape);
  const path = join(directory, "osdmap");
  await writeFile(path, osdMapBytes(spec));
  const map = OsdMap.decode(await readFile(path));
  const ours = spec.pools.flatMap((pool) =>
    Array.from({ length: pool.pgNum }, (_, seed) => placementLine(map, pool, seed)),
  );

  const { stdout } = await run("osdmaptool", [path, "--test-map-pgs-dump-all"], { maxBuffer: 2 ** 28 });
  const lines = stdout.split("\n").filter((line) => line.includes(" raw "));
  const theirs = lines.map((line) => line.replace(/ raw \(.*?\) up/, " up"));
  assert.equal(theirs.length, ours.length);
  const differing = theirs.findIndex((line, i) => line !== ours[i]);
  assert.equal(ours[differing], theirs[differing]);
}

/** Pools of all kinds over a generated CRUSH map, with every per-PG exception that a map can contain. */
export async function generateMap(directory: string, random: Random, shape: Shape): Promise<MapSpec> {
  const withArgs = random.chance(0.5);
  const text = crushText(random, shape, withArgs ? "straw2" : undefined, withArgs ? 1 : undefined);
  const textPath = join(directory, "crush.txt");
  const crushPath = join(directory, "crush");
  await writeFile(textPath, text.text);
  await run("crushtool", ["-c", textPath, "-o", crushPath]);

  const pools = Array.from({ length: text.rules }, (_, rule): PoolSpec => {
    const pgNum = random.between(1, 150);
    return {
      id: 1 + 2 * rule,
      name: `pool${rule}`,
      type: text.erasureRules.includes(rule) ? 3 : 1,
      size: random.between(1, 6),
      rule,
      pgNum,
      pgpNum: random.chance(0.5) ? pgNum : random.between(1, pgNum),
      flags: random.chance(0.8) ? 1 : 0,
    };
  });
  const osds = Array.from({ length: shape.devices }, () => ({
    state: random.pick([3, 3, 3, 3, 3, 3, 1, 0]),
    weight: random.pick([0x10000, 0x10000, 0x10000, 0x8000, 0x4000, 0]),
    affinity: random.pick([0x10000, 0x10000, 0x8000, 0]),
  }));
  if (random.chance(0.5)) for (const osd of osds) osd.affinity = 0x10000;

  const anOsd = () => random.below(shape.devices);
  const somePgs = <T>(value: (pool: PoolSpec) => T): [PgId, T][] =>
    pools.flatMap((pool) =>
      Array.from({ length: pool.pgNum }, (_, seed) => seed)
        .filter(() => random.chance(0.1))
        .map((seed): [PgId, T] => [{ pool: pool.id, seed }, value(pool)]),
    );
  const osdSet = (pool: PoolSpec) =>
    Array.from({ length: pool.size }, () => (random.chance(0.05) ? ITEM_NONE : anOsd()));
  return {
    fsid: "01234567-89ab-cdef-0123-456789abcdef",
    epoch: 7,
    crush: await readFile(crushPath),
    pools,
    osds,
    pgTemp: somePgs(osdSet),
    primaryTemp: somePgs(anOsd),
    upmap: somePgs(osdSet),
    upmapItems: somePgs(() => [anOsd(), anOsd(), anOsd(), anOsd()]),
  };
}

function placementLine(map: OsdMap, { id }: PoolSpec, seed: number): string {
  const { up, upPrimary, acting, actingPrimary } = map.place(map.pool(id)!, seed);
  const set = (osds: readonly number[]) => `[${osds.join(",")}]`;
  return (
    `${formatPgId({ pool: id, seed })} up (${set(up)}, p${upPrimary})` +
    ` acting (${set(acting)}, p${actingPrimary})`
  );
}
