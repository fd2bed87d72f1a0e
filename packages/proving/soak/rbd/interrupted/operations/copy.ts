import { assertHolds, assertMapRight, assertRefused, isListed, removeImages } from "../checks.ts";
import { objectsIn } from "../images.ts";
import type { Operation } from "../operation.ts";

/** Copies an image. To finish after a kill, the remains are removed and the image is copied again. */
export const copy: Operation = {
  async prepare(stage) {
    const expected = stage.contents.disk;
    const remove = removeImages(stage, ["image"]);
    return {
      images: ["image"],
      phase(left) {
        if (left.headers === 0) return left.names === 0 ? "nothing made" : "a name, no header";
        if (left.dataObjects === 0) return "an empty image";
        return left.dataObjects < objectsIn(expected) ? "objects missing" : "all objects";
      },
      async finish(program) {
        const again = ["cp", stage.spec("disk"), stage.spec("image"), "--no-progress"];
        if (await isListed(stage, program, "image")) await assertRefused(program, again, "EEXIST");
        await remove(program);
        await program.run(...again);
        await assertHolds(stage, "image", expected);
        await assertMapRight(stage, program, "image");
      },
      remove,
    };
  },
  run: (images) => images.copy("disk", "image"),
};
