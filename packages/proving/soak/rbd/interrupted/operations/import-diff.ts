import { createReadStream } from "node:fs";
import { ByteSource, DiffReader, imageTarget, importDiff } from "@siphon/rbd";
import { assertHolds, assertMapRight, removeWithSnapshots, snapshotsOf } from "../checks.ts";
import { makeImage } from "../images.ts";
import type { Operation } from "../operation.ts";

/** Applies the diff between two snapshots of `disk` to an image that equals the first snapshot. */
export const importDiffOperation: Operation = {
  async prepare(stage, random) {
    const { "disk@one": one, disk: two } = stage.contents;
    await makeImage(stage, random, "image", one);
    {
      await using image = await stage.images.open("image");
      await image.snapshots.create("one");
    }
    return {
      images: ["image"],
      async phase() {
        await using image = await stage.images.open("image", { readOnly: true, watch: false });
        if (image.snapshots.list().length === 2) return "snapshot made";
        const bytes = await image.read(0, image.size);
        if (bytes.equals(one)) return "nothing written";
        return bytes.equals(two) ? "all written" : "partly written";
      },
      async finish(program) {
        const names = await snapshotsOf(stage, program, "image");
        if (!names.includes("two")) {
          await program.run("import-diff", stage.diff, stage.spec("image"), "--no-progress");
        }
        await assertHolds(stage, "image@one", one);
        await assertHolds(stage, "image@two", two);
        await assertHolds(stage, "image", two);
        await assertMapRight(stage, program, "image");
      },
      remove: removeWithSnapshots(stage, "image"),
    };
  },
  async run(images, diff) {
    await using image = await images.open("image");
    await using source = new ByteSource(createReadStream(diff), diff);
    await importDiff(await DiffReader.open(source), imageTarget(image));
  },
};
