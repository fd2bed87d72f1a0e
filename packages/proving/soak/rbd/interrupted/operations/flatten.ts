import { assertHolds, assertMapRight, removeImages } from "../checks.ts";
import { makeClone, objectsIn } from "../images.ts";
import type { Operation } from "../operation.ts";
import { minus, remains } from "../pool-state.ts";

/** Flattens a clone that has some objects of its own. */
export const flatten: Operation = {
  async prepare(stage, random) {
    const { bytes, others, elder } = await makeClone(stage, random, "image");
    const own = minus(remains(await stage.state(), stage.before), others).dataObjects;
    const spec = stage.spec("image");
    const images = ["image", ...(elder === undefined ? [] : [elder])];
    return {
      images,
      phase(all) {
        const left = minus(all, others);
        if (left.dataObjects === own) return "nothing copied";
        if (left.dataObjects < objectsIn(bytes)) return "objects missing";
        if (left.children > 0) return "all objects, still a child";
        if (left.parents > 0) return "no child, still a parent";
        return left.snapshots > 0 ? "no parent, its snapshot left" : "no parent any more";
      },
      async finish(program) {
        const { parent } = JSON.parse(await program.run("info", spec, "--format", "json"));
        if (parent !== undefined) await program.run("flatten", spec, "--no-progress");
        await assertHolds(stage, "image", bytes);
        await assertMapRight(stage, program, "image");
      },
      remove: removeImages(stage, images),
    };
  },
  async run(images) {
    await using image = await images.open("image");
    await image.flatten();
  },
};
