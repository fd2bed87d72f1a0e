import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "@siphon/rados";
import type { GroupedImage } from "../cls/group.ts";
import { nameInTrash, nameOf } from "../directory/find-image.ts";
import { unless } from "../errors.ts";
import { OpenImage } from "../image/open-image.ts";
import { poolById } from "../image/pools.ts";

/** Several images, open at the same time. */
export class MemberImages implements AsyncDisposable {
  readonly images: readonly OpenImage[];

  private constructor(images: readonly OpenImage[]) {
    this.images = images;
  }

  /**
   * @param namespace of all of them
   * @param onlyThere skips images that are gone
   */
  static async open(
    cluster: Cluster,
    namespace: string,
    images: readonly GroupedImage[],
    { onlyThere = false } = {},
  ): Promise<MemberImages> {
    const gone = onlyThere ? ["ENOENT", "SIPHON_RBD_NO_POOL"] : [];
    const opening = images.map((image) => openMember(cluster, namespace, image).catch(unless(...gone)));
    const members = new MemberImages(await opened(opening));
    try {
      await Promise.all(opening);
      return members;
    } catch (error) {
      await members[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Calls a function while the locks of all images are held, so that no other client writes to them. */
  async whileLocked(action: () => Promise<void>): Promise<void> {
    while (!(await whileOwned(this.images, action))) await sleep(Math.random() * retryDelay);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await together(this.images, (image) => image.close());
  }
}

/** Calls a function with each; when all have ended, throws the first error. */
export async function together<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const ended = await Promise.allSettled(items.map(action));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}

/** The images that could be opened, in order. */
async function opened(opening: readonly Promise<OpenImage | undefined>[]): Promise<OpenImage[]> {
  const ended = await Promise.allSettled(opening);
  return ended.flatMap((each) => (each.status === "fulfilled" && each.value ? [each.value] : []));
}

async function openMember(
  cluster: Cluster,
  namespace: string,
  { poolId, imageId }: GroupedImage,
): Promise<OpenImage> {
  const pool = await poolById(cluster, poolId, namespace);
  const name = (await nameOf(pool, imageId)) ?? (await nameInTrash(pool, imageId)) ?? imageId;
  return OpenImage.open(cluster, pool, imageId, name, {});
}

/**
 * Takes the locks one by one, always in the same order, so that siphon's clients cannot deadlock. librbd takes all at
 * once, and answers meanwhile that it is busy: then it goes first.
 *
 * @returns false if nothing was done and no lock is held
 */
async function whileOwned(
  [first, ...others]: readonly OpenImage[],
  action: () => Promise<void>,
): Promise<boolean> {
  if (first === undefined) {
    await action();
    return true;
  }
  if (first.lock === undefined) return whileOwned(others, action);
  let done = false;
  const inner = async () => {
    done = await whileOwned(others, action);
  };
  while (!(await first.lock.whileOwned(inner))) {
    // Until all are held, a lock may go to the next client that requests it.
    if (!(await first.lock.acquireUnlessBusy())) return false;
  }
  return done;
}

/** Milliseconds, at most. */
const retryDelay = 500;
