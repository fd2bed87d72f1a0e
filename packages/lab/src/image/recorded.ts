import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { CephClient, type CephTarget } from "../ceph/client.ts";
import { LabError } from "../errors.ts";
import { platformOf, rootDetails } from "../roots/platform-of.ts";
import { stateDir } from "../state/paths.ts";
import { Resource } from "../state/resource.ts";
import { createImage, removeImage } from "./image.ts";

/**
 * An image that siphon creates in a pool and must remove: recorded before its creation under a unique name, so that
 * `siphon clean` finds it after a crash. Disposing of it removes it, unless it was released.
 */
export class RecordedImage implements AsyncDisposable {
  readonly client: CephClient;
  /** Its name: `siphon-PURPOSE-` and eight random hex digits. */
  readonly image: string;
  readonly #resource: Resource;
  #released = false;

  private constructor(client: CephClient, image: string, resource: Resource) {
    this.client = client;
    this.image = image;
    this.#resource = resource;
  }

  /** Creates an empty image of `size` bytes. */
  static async create(
    client: CephClient,
    {
      purpose,
      size,
      objectSize,
      signal,
    }: { purpose: string; size: number; objectSize?: number; signal?: AbortSignal },
  ): Promise<RecordedImage> {
    const image = `siphon-${purpose}-${randomBytes(4).toString("hex")}`;
    const resource = await Resource.create("images", image, {
      ...{ target: client.target, image },
      ...rootDetails(client.platform),
    });
    const recorded = new RecordedImage(client, image, resource);
    try {
      await createImage(client, { image, size, objectSize, signal });
    } catch (error) {
      // An interrupted `rbd create` may have left something.
      if (signal?.aborted) await recorded[Symbol.asyncDispose]();
      else await resource.remove();
      throw error;
    }
    return recorded;
  }

  /** Keeps the image; it may be renamed. */
  async release(): Promise<void> {
    this.#released = true;
    await this.#resource.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#released) await removeRecordedImage(this.#resource);
  }
}

/** Removes a recorded image and its record; a missing image is no error. */
export async function removeRecordedImage(resource: Resource): Promise<void> {
  const { target, image } = resource.details as { target?: CephTarget; image?: string };
  await resource.endProcesses();
  if (target && image && !(await wentWithItsCluster(target))) {
    await removeUnwatched(new CephClient(target, resource.environment, platformOf(resource)), image);
  }
  await resource.remove();
}

/** A killed client keeps its watch for half a minute, which prevents the removal. */
async function removeUnwatched(client: CephClient, image: string): Promise<void> {
  for (const deadline = performance.now() + WATCHED_MS; ; await sleep(WATCHED_PAUSE_MS)) {
    try {
      return await removeImage(client, { image });
    } catch (cause) {
      const watched = cause instanceof LabError && cause.code === "SIPHON_IN_USE";
      if (watched && performance.now() < deadline) continue;
      const message = `the image ${client.spec(image)} could not be removed: ${(cause as Error).message}`;
      throw new LabError("SIPHON_LEFT_BEHIND", message, { cause, hint: "try again with: siphon clean" });
    }
  }
}

/** Milliseconds for watches of dead clients (osd_client_watch_timeout), plus a margin. */
const WATCHED_MS = 60_000;
const WATCHED_PAUSE_MS = 1_000;

/** An image in a dead local cluster needs no removal, and its cluster would not answer. */
async function wentWithItsCluster({ conf }: CephTarget): Promise<boolean> {
  const clusters = await Resource.list("clusters");
  const cluster = clusters.find(({ dir }) => conf.startsWith(`${dir}/`));
  return cluster ? cluster.stale : conf.startsWith(`${stateDir()}/`) && !existsSync(conf);
}
