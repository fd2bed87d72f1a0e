import { assertHolds, assertMapRight, assertRefused, isListed, removeWithSnapshots } from "../checks.ts";
import type { Operation } from "../operation.ts";

/** Copies a clone with its snapshots and its parent. */
export const deepCopy: Operation = {
  async prepare(stage) {
    const { "family@first": first, "family@second": second, family } = stage.contents;
    const remove = removeWithSnapshots(stage, "image");
    return {
      images: ["image"],
      phase(left) {
        if (left.headers === 0) return left.names === 0 ? "nothing made" : "a name, no header";
        if (left.parents === 0) return "no parent yet";
        if (left.children === 0) return "a parent, not yet a child";
        return `${left.snapshots} of 2 snapshots`;
      },
      async finish(program) {
        const again = ["deep", "cp", stage.spec("family"), stage.spec("image"), "--no-progress"];
        if (await isListed(stage, program, "image")) await assertRefused(program, again, "EEXIST");
        await remove(program);
        await program.run(...again);
        await assertHolds(stage, "image@first", first);
        await assertHolds(stage, "image@second", second);
        await assertHolds(stage, "image", family);
        await assertMapRight(stage, program, "image");
      },
      remove,
    };
  },
  run: (images) => images.deepCopy("family", "image"),
};
