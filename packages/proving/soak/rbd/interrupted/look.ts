import assert from "node:assert/strict";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { trashedIds } from "./checks.ts";
import type { Prepared } from "./operation.ts";
import { only, type PoolState, remains } from "./pool-state.ts";
import type { Program } from "./programs.ts";
import type { Stage } from "./stage.ts";

/** Asserts that the program lists everything, however incomplete it is: names, images, children, trash. */
export async function assertListed(
  stage: Stage,
  program: Program,
  { images }: Prepared,
  state: PoolState,
): Promise<void> {
  const { pool } = stage;
  const entries = valuesOf(state, "rbd_directory name_");
  assert.deepEqual(JSON.parse(await program.run("ls", pool, "--format", "json")), entries);
  const long = JSON.parse(await program.run("ls", "--long", pool, "--format", "json"));
  const shown = new Set(long.map(({ image }: { image: string }) => image));
  // A clone that has left its parent in order to be removed may be listed while the parent exists.
  const { parents, children, snapshots } = remains(state, stage.before);
  const mayBeOrphaned = parents > 0 && children === 0 && snapshots === 0;
  assert.deepEqual(await trashedIds(stage, program), valuesOf(state, "rbd_trash id_"));
  for (const name of images) {
    const { exitCode, stderr } = await program.try("info", stage.spec(name));
    const message = `${program.name} info ${name}: ${stderr}`;
    if (exitCode !== 0) assert.equal(exitCode, constants.errno.ENOENT, message);
    if (!mayBeOrphaned) assert.equal(exitCode === 0, hasHeader(state, name), message);
    assert.equal(shown.has(name), exitCode === 0, `${program.name} ls --long ${name}`);
  }
  const clones = await program.run("children", stage.spec("parent@one"), "--format", "json");
  assert.ok(JSON.parse(clones).some(({ image }: { image: string }) => image === "family"));
}

/**
 * Asserts that object maps mark every object that exists. They may also mark others, because the killed client could not undo that;
 * the program then rebuilds the map.
 */
export async function assertMapSafe(
  stage: Stage,
  program: Program,
  { images }: Prepared,
  state: PoolState,
): Promise<void> {
  for (const name of images) {
    if (!hasHeader(state, name)) continue;
    const spec = stage.spec(name);
    const shown = await program.try("info", spec, "--format", "json");
    // Remains of a clone whose parent's snapshot is gone.
    if (shown.exitCode !== 0) continue;
    const { features, flags } = JSON.parse(shown.stdout);
    if (!features.includes("object-map") || flags.length > 0) continue;
    const { exitCode, stderr } = await program.try("object-map", "check", spec, "--no-progress");
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /marked as 0/, `${program.name} object-map check ${name}`);
    if (stderr.includes("object map error"))
      await program.run("object-map", "rebuild", spec, "--no-progress");
  }
}

/** Waits until killed clients no longer count as watchers. */
export async function unwatched(stage: Stage): Promise<void> {
  const { pool } = stage.images;
  const headers = [...(await stage.state())].filter((line) => /^rbd_header\.\w+$/.test(line));
  for (let tries = 600; ; tries--) {
    const watchers = await Promise.all(headers.map((header) => pool.listWatchers(header)));
    if (watchers.every((found) => found.length === 0)) return;
    assert.ok(tries > 0, `${stage.pool}: there are still watchers`);
    await sleep(100);
  }
}

/** Asserts that only the stage's images are left, and that they are unchanged. */
export async function assertAsBefore(stage: Stage): Promise<void> {
  await unwatched(stage);
  await trimmed(stage);
  const state = await stage.state();
  assert.deepEqual(only(state, stage.before), [], "left over");
  assert.deepEqual(only(stage.before, state), [], "lost");
  const names = (await stage.rados("ls")).split("\n").filter((name) => name !== "");
  const expected = [...stage.before].filter((line) => !line.includes(" "));
  assert.deepEqual(names.toSorted(), expected.toSorted(), "rados ls");
  for (const [spec, bytes] of Object.entries(stage.contents)) {
    const [name, snapshot] = spec.split("@") as [string, string?];
    const options = { readOnly: true, watch: false, ...(snapshot !== undefined && { snapshot }) };
    await using image = await stage.images.open(name, options);
    assert.ok(bytes.equals(await image.read(0, image.size)), `${spec} is not what it was`);
  }
}

/** Waits until the OSD has trimmed data of removed snapshots, if nothing else is left. */
async function trimmed(stage: Stage): Promise<void> {
  for (let tries = 600; tries > 0; tries--) {
    const left = only(await stage.state(), stage.before);
    if (left.length === 0 || left.some((line) => !line.startsWith("rbd_data."))) return;
    await sleep(100);
  }
}

/** The names or ids in the lines that start with `beginning`, sorted. */
function valuesOf(state: PoolState, beginning: string): string[] {
  return [...state]
    .filter((line) => line.startsWith(beginning))
    .map((line) => line.slice(beginning.length, line.lastIndexOf("=")))
    .toSorted();
}

function hasHeader(state: PoolState, name: string): boolean {
  const entry = [...state].find((line) => line.startsWith(`rbd_directory name_${name}=`));
  if (entry === undefined || !state.has(`rbd_id.${name}`)) return false;
  // The value is a string after its 4-byte length.
  const id = Buffer.from(entry.slice(entry.lastIndexOf("=") + 1), "hex").subarray(4);
  return state.has(`rbd_header.${id}`);
}
