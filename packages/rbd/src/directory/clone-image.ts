import type { Cluster, Pool } from "@siphon/rados";
import { errno } from "@siphon/wire";
import { setOpFeatures } from "../cls/image.ts";
import { listMetadata, setMetadata } from "../cls/metadata.ts";
import { addOldChild, attachChild, attachParent, type ParentSpec } from "../cls/parent.ts";
import { ask, changeAll } from "../cls/run.ts";
import { describe } from "../describe.ts";
import { RbdError } from "../errors.ts";
import { type HeaderSnapshot, opFeature, userSnapshot } from "../header/image-header.ts";
import { readHeader } from "../header/read-header.ts";
import { assertReadable, has } from "../image/features.ts";
import { imageFeature } from "../image-state.ts";
import { childrenObject, headerObject } from "../object-names.ts";
import { orUndo } from "../or-undo.ts";
import { poolSettings } from "../settings/settings.ts";
import { tellHeaderUpdate } from "../watch/tell-header-update.ts";
import { type CreateOptions, createImage } from "./create-image.ts";
import { idOf } from "./find-image.ts";
import { removeEmptyImage } from "./remove-image.ts";

export interface CloneOptions extends CreateOptions {
  /**
   * 1: from protected snapshots only, listed in the clone's pool; 2: from any snapshot, listed in its header. Default:
   * rbd_default_clone_format of the clone's pool; `auto` means 2 if the cluster requires clients that support it
   * (require_min_compat_client mimic or later), otherwise 1.
   */
  readonly version?: 1 | 2 | undefined;
}

/** An image that shows a snapshot until it is written to (src/librbd/image/CloneRequest.cc). */
export async function cloneImage(
  cluster: Cluster,
  from: { readonly pool: Pool; readonly image: string; readonly snapshot: string | number },
  to: { readonly pool: Pool; readonly image: string },
  options: CloneOptions = {},
): Promise<string> {
  const imageId = await idOf(from.pool, from.image);
  const parent = await readHeader(from.pool, imageId, from.image);
  assertReadable(parent);
  const byId = typeof from.snapshot === "number";
  const what = `${describe(from.pool, from.image)}${byId ? " with id " : "@"}${from.snapshot}`;
  const snapshot = byId ? parent.snapshots.get(from.snapshot) : userSnapshot(parent, from.snapshot);
  if (snapshot === undefined || snapshot.namespace.type === "trash")
    throw new RbdError("SIPHON_RBD_NO_SNAPSHOT", `failed to open parent image: there is no snapshot ${what}`);
  const format = options.version ?? (await poolSettings(cluster, to.pool)).text("rbd_default_clone_format");
  const ofUser = snapshot.namespace.type === "user";
  const auto = clonesOfVersion2(cluster) || !ofUser ? 2 : 1;
  const version = format === "auto" ? auto : Number(format) === 1 ? 1 : 2;
  if (!has(parent, "layering")) {
    throw new RbdError(
      "SIPHON_RBD_UNSUPPORTED",
      `image ${describe(from.pool, from.image)} has no feature layering`,
    );
  }
  if (version === 1) assertProtected(what, snapshot, from.pool, to.pool);
  const spec: ParentSpec = {
    poolId: from.pool.id,
    namespace: from.pool.namespace,
    imageId,
    snapId: snapshot.id,
  };
  const inherited =
    parent.features & ~(imageFeature.operations | imageFeature.nonPrimary | imageFeature.journaling);
  const id = await createImage(cluster, to.pool, to.image, snapshot.size, {
    ...{ objectSize: parent.objectSize, features: inherited },
    ...options,
  });
  const complete = async () => {
    await attachClone(to.pool, id, from.pool, spec, snapshot.size, version);
    await copyMetadata(from.pool, imageId, to.pool, id);
  };
  await orUndo(complete, () => removeEmptyImage(to.pool, id, to.image));
  return id;
}

/**
 * Clones of version 1 need a protected user snapshot in the same namespace.
 *
 * @param what the snapshot, for error messages
 * @throws RbdError SIPHON_RBD_INVALID
 */
export function assertProtected(
  what: string,
  { namespace, isProtected }: HeaderSnapshot,
  from: Pool,
  to: Pool,
): void {
  const invalid = (message: string) => new RbdError("SIPHON_RBD_INVALID", message);
  if (from.namespace !== to.namespace) {
    const message = "clone v2 required for cross-namespace clones";
    throw new RbdError("SIPHON_RBD_INVALID", message, { errno: -errno.EXDEV });
  }
  if (namespace.type !== "user") {
    throw invalid(`snapshot ${what} is not a user snapshot: only clones of version 2 can be made from it`);
  }
  if (!isProtected) {
    throw new RbdError("SIPHON_RBD_INVALID", `snapshot ${what} is not protected`, {
      remedy: { name: "protect-snapshot", subject: what },
    });
  }
}

/** Makes an empty image a clone of a snapshot, and registers it with the parent. */
export async function attachClone(
  pool: Pool,
  id: string,
  parentPool: Pool,
  parent: ParentSpec,
  overlap: number,
  version: 1 | 2,
): Promise<void> {
  const header = headerObject(id);
  await changeAll(pool, header, [attachParent(parent, overlap)]);
  if (version === 1) {
    await changeAll(pool, childrenObject, [addOldChild(parent, id)]);
    return;
  }
  await changeAll(pool, header, [setOpFeatures(opFeature.cloneChild, opFeature.cloneChild)]);
  const parentHeader = headerObject(parent.imageId);
  const child = { poolId: pool.id, namespace: pool.namespace, imageId: id };
  await changeAll(parentPool, parentHeader, [attachChild(parent.snapId, child)]);
  await tellHeaderUpdate(parentPool, parent.imageId);
}

/** Clones inherit the image's settings. */
async function copyMetadata(from: Pool, fromId: string, to: Pool, toId: string): Promise<void> {
  for (let after = ""; ; ) {
    const page = await ask(from, headerObject(fromId), listMetadata(after, metadataPage));
    if (page.size > 0) await changeAll(to, headerObject(toId), [setMetadata(page)]);
    if (page.size < metadataPage) return;
    after = [...page.keys()].at(-1)!;
  }
}

function clonesOfVersion2({ osdmap }: Cluster): boolean {
  return osdmap.requireMinCompatClient >= mimic;
}

const metadataPage = 128;
/** CEPH_RELEASE_MIMIC. */
const mimic = 13;
