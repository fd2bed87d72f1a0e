import assert from "node:assert/strict";
import { constants } from "node:os";
import type { Program } from "./programs.ts";
import type { Stage } from "./stage.ts";

/** Asserts that rbd reads exactly these bytes. */
export async function assertHolds(stage: Stage, image: string, expected: Buffer): Promise<void> {
  const found = Buffer.from(await stage.rbd.run("export", stage.spec(image), "-", "--no-progress"), "latin1");
  assert.equal(found.length, expected.length, `the size of ${image}`);
  const at = found.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(at, -1, `${image} holds something else at byte ${at}`);
}

/** Asserts that the object maps of an image and of its snapshots, if it has any, match the objects. */
export async function assertMapRight(stage: Stage, program: Program, image: string): Promise<void> {
  for (const name of ["", ...(await snapshotsOf(stage, program, image)).map((snapshot) => `@${snapshot}`)]) {
    const spec = stage.spec(`${image}${name}`);
    const { features, flags } = JSON.parse(await program.run("info", spec, "--format", "json"));
    if (!features.includes("object-map")) continue;
    assert.deepEqual(flags, [], `flags of ${spec}`);
    const { exitCode, stderr } = await program.try("object-map", "check", spec, "--no-progress");
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /object map error/);
  }
}

/** @param errno name of the errno that the program must exit with */
export async function assertRefused(program: Program, args: string[], errno: "EEXIST"): Promise<void> {
  const { exitCode, stderr } = await program.try(...args);
  assert.equal(exitCode, constants.errno[errno], `${program.name} ${args.join(" ")}: ${stderr}`);
}

export async function isListed(stage: Stage, program: Program, image: string): Promise<boolean> {
  return JSON.parse(await program.run("ls", stage.pool, "--format", "json")).includes(image);
}

export async function snapshotsOf(stage: Stage, program: Program, image: string): Promise<string[]> {
  const listed = await program.run("snap", "ls", stage.spec(image), "--format", "json");
  return (JSON.parse(listed) as { name: string }[]).map(({ name }) => name);
}

export async function trashedIds(stage: Stage, program: Program): Promise<string[]> {
  const listed = await program.run("trash", "ls", "--all", stage.pool, "--format", "json");
  return (JSON.parse(listed) as { id: string }[]).map(({ id }) => id);
}

/** Removes images by name, one after the other. Little may be left of some of them. */
export function removeImages(stage: Stage, images: readonly string[]): (program: Program) => Promise<void> {
  return async (program) => {
    for (const image of images) {
      const remove = ["rm", stage.spec(image), "--no-progress"];
      let { exitCode, stderr } = await program.try(...remove);
      if (exitCode === constants.errno.ENOTEMPTY && (await removeForsaken(stage, program, image))) {
        ({ exitCode, stderr } = await program.try(...remove));
      }
      // Other remains of an image without a name are found later.
      if (exitCode !== constants.errno.ENOENT) assert.equal(exitCode, 0, `${program.name} rm: ${stderr}`);
    }
  };
}

/** Removes an image with its snapshots, some of which may be protected. */
export function removeWithSnapshots(stage: Stage, image: string): (program: Program) => Promise<void> {
  const remove = removeImages(stage, [image]);
  return async (program) => {
    const listed = await program.try("snap", "ls", stage.spec(image), "--format", "json");
    if (listed.exitCode === 0) {
      for (const { name, protected: kept } of JSON.parse(listed.stdout)) {
        if (kept === "true") await program.run("snap", "unprotect", stage.spec(`${image}@${name}`));
      }
      await program.run("snap", "purge", stage.spec(image), "--no-progress");
    }
    await remove(program);
  };
}

/** rbd needs snapshots that were kept for clones to be removed manually once nothing uses them; siphon removes them by itself. */
async function removeForsaken(stage: Stage, program: Program, image: string): Promise<boolean> {
  if (program.name !== "rbd") return false;
  const listed = await program.run("snap", "ls", "--all", stage.spec(image), "--format", "json");
  const snapshots = JSON.parse(listed) as { id: number; namespace: { type: string } }[];
  for (const { id, namespace } of snapshots) {
    if (namespace.type !== "trash") return false;
    await program.run("snap", "rm", "--snap-id", String(id), stage.spec(image), "--no-progress");
  }
  return true;
}
