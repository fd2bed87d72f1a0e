import { type ImagePool, purgeTrash, trashToPurge } from "@siphon/rbd";
import type { Rbd } from "./rbd.ts";

/** Something long that may be killed at any moment. */
export interface InterruptedCase {
  /** Makes, with rbd, what it works on. */
  prepare(rbd: Rbd): Promise<void>;
  /** Runs in a process of its own, which is killed. */
  run(images: ImagePool): Promise<void>;
  /** Ends it, whatever is left, and checks that nothing is. */
  finish(images: ImagePool, rbd: Rbd): Promise<void>;
}

const disk = async (rbd: Rbd, name: string) => {
  await rbd("create", name, "--size", "64M");
  await rbd(
    "bench",
    name,
    "--io-type",
    "write",
    "--io-size",
    "64K",
    "--io-total",
    "4M",
    "--io-pattern",
    "rand",
  );
};

const noImages = async (images: ImagePool, rbd: Rbd) => {
  const left = [...(await images.list()), ...(await images.trash.list())];
  if (left.length > 0)
    throw new Error(`left over: ${left.map(({ name, id }) => `${name} (${id})`).join(", ")}`);
  if ((await rbd("ls")) !== "" || (await rbd("trash", "ls", "--all")) !== "")
    throw new Error("rbd sees images");
};

/** By us at an odd turn, by rbd at an even one: either must be able to. */
let turn = 0;
const removeLeft = async (images: ImagePool, rbd: Rbd, name: string) => {
  if (!(await rbd("ls")).split("\n").includes(name)) return;
  if (turn++ % 2 === 0) await images.remove(name);
  else await rbd("rm", name);
};

export const cases: Record<string, InterruptedCase> = {
  rm: {
    prepare: (rbd) => disk(rbd, "disk"),
    run: (images) => images.remove("disk"),
    async finish(images, rbd) {
      await removeLeft(images, rbd, "disk");
      await noImages(images, rbd);
    },
  },
  copy: {
    prepare: (rbd) => disk(rbd, "disk"),
    run: (images) => images.copy("disk", "copy"),
    async finish(images, rbd) {
      await removeLeft(images, rbd, "copy");
      await images.copy("disk", "copy");
      const [copy, original] = await Promise.all(["copy", "disk"].map((name) => rbd("export", name, "-")));
      if (copy !== original) throw new Error("the copy that was made again differs");
      await rbd("rm", "copy");
      await rbd("rm", "disk");
      await noImages(images, rbd);
    },
  },
  purge: {
    async prepare(rbd) {
      for (const name of ["one", "two"]) {
        await disk(rbd, name);
        await rbd("trash", "mv", name);
      }
    },
    async run(images) {
      await purgeTrash(images, await trashToPurge(images));
    },
    async finish(images, rbd) {
      if (turn++ % 2 === 0) await purgeTrash(images, await trashToPurge(images));
      else await rbd("trash", "purge");
      await noImages(images, rbd);
    },
  },
};
