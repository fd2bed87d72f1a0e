import { removeImages } from "../checks.ts";
import { makeClone } from "../images.ts";
import type { Operation } from "../operation.ts";
import { minus, remains } from "../pool-state.ts";

/** Removes a clone. */
export const rm: Operation = {
  async prepare(stage, random) {
    const { others, elder } = await makeClone(stage, random, "image");
    const { dataObjects } = minus(remains(await stage.state(), stage.before), others);
    const images = ["image", ...(elder === undefined ? [] : [elder])];
    const remove = removeImages(stage, images);
    return {
      images,
      phase(all) {
        const left = minus(all, others);
        if (left.dataObjects === dataObjects) return "nothing removed";
        if (left.dataObjects > 0) return "objects left";
        if (left.children > 0) return "no objects, still a child";
        if (left.snapshots > 0) return "no child, the parent's snapshot left";
        if (left.headers > 0) return "header left";
        if (left.names > 0) return "name left";
        return left.entries > 0 ? "directory entry left" : "nothing left";
      },
      finish: remove,
      remove,
    };
  },
  run: (images) => images.remove("image"),
};
