import { purgeTrash, trashToPurge } from "@siphon/rbd";
import { trashedIds } from "../checks.ts";
import { cloneOfRemoved, makeImage } from "../images.ts";
import type { Operation } from "../operation.ts";
import { featureSets } from "../stage.ts";

/** Purges the trash of three images: a plain one, and a clone with its parent, whose removed snapshot is kept for the clone. */
export const trashPurge: Operation = {
  async prepare(stage, random) {
    const { images } = stage;
    await makeImage(stage, random, "plain", stage.contents["disk@one"]);
    await makeImage(stage, random, "elder", stage.contents.disk);
    await cloneOfRemoved(stage, "elder", "younger", random.pick(featureSets));
    for (const name of ["plain", "elder", "younger"]) await images.trash.move(name);
    return {
      images: [],
      phase({ trashed, headers, dataObjects }) {
        const left = trashed === headers ? `${trashed} of 3 left` : `${trashed} of 3 left, one has no header`;
        return trashed === 3 && headers === 3
          ? `${left}, ${dataObjects > 0 ? "with" : "without"} objects`
          : left;
      },
      async finish(program) {
        await program.run("trash", "purge", stage.pool, "--no-progress");
      },
      async remove(program) {
        // Clones before their parents.
        for (let left = await trashedIds(stage, program); left.length > 0; ) {
          for (const id of left) await program.try("trash", "rm", `${stage.pool}/${id}`, "--no-progress");
          const before = left.length;
          left = await trashedIds(stage, program);
          if (left.length === before)
            throw new Error(`${program.name} cannot remove from the trash: ${left.join(", ")}`);
        }
      },
    };
  },
  async run(images) {
    await purgeTrash(images, await trashToPurge(images));
  },
};
