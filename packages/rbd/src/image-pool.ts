import type { Cluster, Pool } from "@siphon/rados";
import { type CopyOptions, copyImage } from "./copy/copy-image.ts";
import { type DeepCopyOptions, deepCopyImage } from "./copy/deep-copy.ts";
import { type CloneOptions, cloneImage } from "./directory/clone-image.ts";
import { type CreateOptions, createImage } from "./directory/create-image.ts";
import {
  type ImageEntry,
  idToOpen,
  listImages,
  nameInTrash,
  nameOf,
  noImage,
} from "./directory/find-image.ts";
import { planRemoval, type Removal } from "./directory/removal.ts";
import { assertRemovable, removeImage } from "./directory/remove-image.ts";
import { renameImage } from "./directory/rename-image.ts";
import { Groups } from "./groups/groups.ts";
import type { ImageHeader } from "./header/image-header.ts";
import { readHeader } from "./header/read-header.ts";
import { Metadata } from "./image/metadata.ts";
import type { OpenOptions } from "./image/open-options.ts";
import { Image } from "./image.ts";
import type { Images } from "./images.ts";
import { Namespaces } from "./namespaces/namespaces.ts";
import { infoObject } from "./object-names.ts";
import type { OnProgress } from "./progress.ts";
import { Trash } from "./trash/trash.ts";

/**
 * The images of a pool, or of a namespace in it.
 *
 * ```ts
 * const images = await ImagePool.open(cluster, "libvirt-pool");
 * await images.create("disk", 10 * 2 ** 30);
 * ```
 */
export class ImagePool implements Images {
  readonly cluster: Cluster;
  readonly pool: Pool;
  readonly trash: Trash;
  readonly groups: Groups;
  /** Namespaces of the pool. */
  readonly namespaces: Namespaces;
  /** Metadata of the pool, which its namespaces share. */
  readonly metadata: Metadata;

  constructor(cluster: Cluster, pool: Pool) {
    this.cluster = cluster;
    this.pool = pool;
    this.trash = new Trash(cluster, pool);
    this.groups = new Groups(cluster, pool);
    this.namespaces = new Namespaces(pool);
    const ofPool = { pool: pool.with({ namespace: "" }), headerName: infoObject };
    this.metadata = new Metadata({ ...ofPool, isOptional: true, announce: async () => {} });
  }

  /** @throws RadosError ENOENT for a pool that is not there */
  static async open(cluster: Cluster, poolName: string, { namespace = "" } = {}): Promise<ImagePool> {
    return new ImagePool(cluster, await cluster.pool(poolName, { namespace }));
  }

  /** Names and ids of the images, sorted by name. */
  list(): Promise<ImageEntry[]> {
    return listImages(this.pool);
  }

  /**
   * Creates an image of zeros.
   *
   * @param size bytes
   * @returns its id
   */
  create(name: string, size: number, options?: CreateOptions): Promise<string> {
    return createImage(this.cluster, this.pool, name, size, options);
  }

  /** @throws RbdError SIPHON_RBD_NO_IMAGE, SIPHON_RBD_NO_SNAPSHOT, SIPHON_RBD_UNSUPPORTED */
  async open(name: string, options?: OpenOptions): Promise<Image> {
    return Image.open(this.cluster, this.pool, await idToOpen(this.pool, name), name, options);
  }

  /**
   * Opens an image by its id, also one in the trash.
   *
   * @throws RbdError SIPHON_RBD_NO_IMAGE
   */
  async openById(id: string, options?: OpenOptions): Promise<Image> {
    const name = (await nameOf(this.pool, id)) ?? (await nameInTrash(this.pool, id));
    if (name === undefined) throw noImage(this.pool, `with id ${id}`);
    return Image.open(this.cluster, this.pool, id, name, options);
  }

  /** The name of an id, also of an image in the trash. */
  async lookUp(id: string): Promise<{ name: string; trash: boolean; header: ImageHeader }> {
    const listed = await nameOf(this.pool, id);
    const name = listed ?? (await nameInTrash(this.pool, id)) ?? id;
    return { name, trash: listed === undefined, header: await readHeader(this.pool, id, name) };
  }

  /**
   * Removes an image without snapshots that no other client has open. If the settings say so
   * (rbd_move_to_trash_on_remove of the pool or client), moves it to the trash with its snapshots instead; see
   * `planRemoval`.
   */
  async remove(name: string, { onProgress }: { onProgress?: OnProgress } = {}): Promise<void> {
    const removal = await this.planRemoval(name);
    if (removal.to === "trash") await this.trash.move(name, removal.keptUntil, removal.source);
    else await removeImage(this.cluster, this.pool, name, onProgress);
  }

  /** The effect that `remove` would have. */
  planRemoval(name: string): Promise<Removal> {
    return planRemoval(this.cluster, this.pool, name);
  }

  /**
   * Removes an image by its id permanently, whatever the settings say: for an image that was just created and is not needed. Another client
   * may have renamed it, and given its name to another image.
   */
  async discard(id: string): Promise<void> {
    const name = await nameOf(this.pool, id);
    if (name !== undefined) await removeImage(this.cluster, this.pool, name, undefined, id);
  }

  /** @throws the errors of a permanent removal; removes nothing */
  async assertRemovable(name: string): Promise<void> {
    await assertRemovable(this.cluster, this.pool, await idToOpen(this.pool, name), name);
  }

  /** @throws RbdError SIPHON_RBD_EXISTS */
  rename(name: string, newName: string): Promise<void> {
    return renameImage(this.pool, name, newName);
  }

  /** Copies the content of an image or a snapshot, with its layout and metadata. */
  copy(name: string, newName: string, to: ImagePool = this, options?: CopyOptions): Promise<void> {
    return copyImage(this, name, to, newName, options);
  }

  /** Copies an image with its snapshots and its parent. */
  deepCopy(name: string, newName: string, to: ImagePool = this, options?: DeepCopyOptions): Promise<void> {
    return deepCopyImage(this, name, to, newName, options);
  }

  /**
   * Creates a clone of a snapshot in this pool.
   *
   * @param snapshot its name, or its id (for snapshots of groups)
   * @param to pool of the clone; default: this one
   * @returns its id
   */
  clone(
    image: string,
    snapshot: string | number,
    name: string,
    to: ImagePool = this,
    options?: CloneOptions,
  ): Promise<string> {
    return cloneImage(
      this.cluster,
      { pool: this.pool, image, snapshot },
      { pool: to.pool, image: name },
      options,
    );
  }
}
