import { randomInt } from "node:crypto";
import { type Cluster, type Pool, WriteOperation } from "@siphon/rados";
import { errno } from "@siphon/wire";
import { addToDirectory, assertDirectoryReady, removeFromDirectory, setId } from "../cls/directory.ts";
import { createImage as create, setStriping } from "../cls/image.ts";
import { addCalls, changeAll } from "../cls/run.ts";
import { describe } from "../describe.ts";
import { hasCode, RbdError } from "../errors.ts";
import { imageFeature } from "../image-state.ts";
import { mirrorMode } from "../mirror/mode.ts";
import { StoredObjectMaps } from "../object-map/stored-object-maps.ts";
import {
  dataPrefix,
  directoryObject,
  headerObject,
  idObject,
  infoObject,
  oldHeaderObject,
} from "../object-names.ts";
import { onlyFaults } from "../or-undo.ts";
import { poolSettings, type Settings } from "../settings/settings.ts";
import { Layout } from "../striping/layout.ts";
import { isThere } from "./find-image.ts";
import { createOldImage } from "./old-image.ts";

/** layering, exclusive-lock, object-map, fast-diff, deep-flatten (rbd_default_features). */
export const defaultFeatures = 61;

export interface CreateOptions {
  /**
   * Default: rbd_default_format, 2. Format 1 is for tests of old images, and refused unless the environment has
   * RBD_FORCE_ALLOW_V1; siphon cannot write to such an image.
   */
  readonly format?: 1 | 2 | undefined;
  /** Bytes; a power of two from 4 KiB to 32 MiB. Default: rbd_default_order, 4 MiB. */
  readonly objectSize?: number | undefined;
  /** `imageFeature`s; default: rbd_default_features, 61. Striping and data-pool follow from the options below. */
  readonly features?: number | undefined;
  /** For concurrent writers: without exclusive-lock and the features that need it. */
  readonly isShared?: boolean | undefined;
  /** Bytes, a divisor of the object size; together with `stripeCount`. Default: rbd_default_stripe_unit, the object size. */
  readonly stripeUnit?: number | undefined;
  readonly stripeCount?: number | undefined;
  /**
   * Enables mirroring in a mirrored pool, which siphon refuses because it does not support mirroring. Without effect in
   * other pools, as in librbd.
   */
  readonly mirrored?: boolean | undefined;
  /** Name of the pool for the data; it may be erasure coded. Default: rbd_default_data_pool, the image's own. */
  readonly dataPool?: string | undefined;
}

/** The checked parameters of a new image. */
interface Plan {
  readonly size: number;
  readonly order: number;
  readonly features: number;
  readonly stripeUnit: number;
  readonly stripeCount: number;
}

/** @throws RbdError SIPHON_RBD_INVALID for invalid parameters */
export function planImage(size: number, options: CreateOptions): Plan {
  const { objectSize = 2 ** 22, stripeUnit = objectSize, stripeCount = 1 } = options;
  const order = Math.log2(objectSize);
  let features = options.features ?? defaultFeatures;
  if (!Number.isSafeInteger(size) || size < 0) throw invalid(`invalid image size: ${size} bytes`);
  if (!Number.isInteger(order) || order < 12 || order > 25) {
    throw invalid(`invalid object size: ${objectSize} bytes (must be a power of two from 4 KiB to 32 MiB)`);
  }
  if (stripeUnit <= 0 || stripeCount <= 0 || objectSize % stripeUnit !== 0) {
    throw invalid(
      `invalid striping: stripes of ${stripeUnit} bytes over ${stripeCount} objects of ${objectSize} bytes`,
    );
  }
  const { striping, dataPool, exclusiveLock, objectMap, fastDiff, journaling } = imageFeature;
  features &= ~(striping | dataPool);
  if (stripeUnit !== objectSize || stripeCount !== 1) features |= striping;
  if (options.dataPool !== undefined) features |= dataPool;
  // As in librbd, each of these enables the other.
  if ((features & (objectMap | fastDiff)) !== 0) features |= objectMap | fastDiff;
  if ((features & (objectMap | journaling)) !== 0 && (features & exclusiveLock) === 0) {
    throw invalid("features object-map, fast-diff and journaling need exclusive-lock");
  }
  if ((features & journaling) !== 0) throw invalid("siphon does not create images with feature journaling");
  return { size, order, features, stripeUnit, stripeCount };
}

/**
 * Creates an image of zeros (src/librbd/image/CreateRequest.cc); undoes its steps if one fails.
 *
 * @returns its id
 */
export async function createImage(
  cluster: Cluster,
  pool: Pool,
  name: string,
  size: number,
  options: CreateOptions = {},
): Promise<string> {
  assertImageName(name);
  const settings = await poolSettings(cluster, pool);
  const format = options.format ?? settings.number("rbd_default_format");
  if (options.mirrored && (await mirrorMode({ pool })) !== "disabled") {
    const message = `pool ${pool.name} is mirrored, and siphon does not support mirrored images`;
    throw new RbdError("SIPHON_RBD_UNSUPPORTED", message, {
      ...{ errno: -errno.EOPNOTSUPP, hint: "create the image with rbd" },
    });
  }
  const whole = withDefaults(options, settings);
  const plan = planImage(size, format === 1 ? oldOptions(options, whole) : whole);
  const validate = settings.flag("rbd_validate_pool");
  const data = whole.dataPool === undefined ? pool : await dataPoolOf(cluster, whole.dataPool, validate);
  if (validate) await markPool(pool);
  if (await isThere(pool, oldHeaderObject(name))) throw exists(pool, name);
  if (format === 1) {
    if (await isThere(pool, idObject(name))) throw exists(pool, name);
    return await createOldImage(cluster, pool, name, plan);
  }
  const id = newId(cluster);
  await using undo = new AsyncDisposableStack();
  await takeName(pool, name, id);
  // Why the image cannot be made counts, and not why its parts cannot be removed.
  const undoing = (action: () => Promise<void>) => undo.defer(() => action().catch(onlyFaults));
  undoing(() => pool.remove(idObject(name)));
  const entry = [addToDirectory(name, id)];
  await changeAll(
    pool,
    directoryObject,
    pool.namespace === "" ? entry : [assertDirectoryReady, ...entry],
  ).catch((error) => {
    if (!hasCode(error, "EBUSY", "ENOENT") || pool.namespace === "") throw error;
    throw new RbdError("SIPHON_RBD_NO_POOL", `there is no namespace ${pool.namespace} in pool ${pool.name}`, {
      ...{
        cause: error,
        errno: -errno.ENOENT,
        remedy: { name: "create-namespace", subject: `${pool.name}/${pool.namespace}` },
      },
    });
  });
  undoing(() => changeAll(pool, directoryObject, [removeFromDirectory(name, id)]));
  await writeHeader(pool, id, plan, data);
  undoing(() => pool.remove(headerObject(id)));
  if ((plan.features & imageFeature.objectMap) !== 0) {
    const objects = new Layout({ ...plan, objectSize: 2 ** plan.order }).objectCount(size);
    await new StoredObjectMaps(pool, id).create(objects);
  }
  undo.move();
  return id;
}

/** Fills missing options from the pool's settings. */
function withDefaults(options: CreateOptions, settings: Settings): CreateOptions {
  const objectSize = options.objectSize ?? 2 ** settings.number("rbd_default_order");
  const stripeUnit = options.stripeUnit || settings.number("rbd_default_stripe_unit");
  const stripeCount = options.stripeCount || settings.number("rbd_default_stripe_count");
  const dataPool = options.dataPool ?? settings.text("rbd_default_data_pool");
  const features = options.features ?? settings.number("rbd_default_features");
  const isStriped = stripeUnit !== 0 && stripeCount !== 0;
  if (!isStriped && (stripeUnit !== 0 || stripeCount !== 0)) {
    throw invalid("stripe unit and stripe count must be given together");
  }
  return {
    objectSize,
    features: options.isShared ? features & ~forOneWriter : features,
    ...(isStriped && { stripeUnit, stripeCount }),
    ...(dataPool !== "" && { dataPool }),
  };
}

/** Images of format 1 have only a size and objects of one size; settings for other images do not matter. */
function oldOptions(options: CreateOptions, { objectSize }: CreateOptions): CreateOptions {
  const { features = 0, stripeUnit = objectSize, stripeCount = 1, dataPool } = options;
  if (features !== 0) throw invalid("features not allowed with format 1");
  if (stripeUnit !== objectSize || stripeCount !== 1)
    throw invalid("non-default striping not allowed with format 1");
  if (dataPool !== undefined) throw invalid("data pool not allowed with format 1");
  return { objectSize };
}

const forOneWriter = imageFeature.exclusiveLock | imageFeature.objectMap | imageFeature.fastDiff;

/**
 * @throws RbdError SIPHON_RBD_INVALID for an empty name, and one with `/` or `@`, which separate pools and snapshots
 */
export function assertImageName(name: string): void {
  if (name === "" || /[@/]/.test(name))
    throw invalid(`invalid image name "${name}"${name === "" ? "" : ": '@' and '/' are not allowed"}`);
}

/** Claims a name for an id; a name belongs to one image. */
export async function takeName(pool: Pool, name: string, id: string): Promise<void> {
  const operation = new WriteOperation<unknown[]>();
  operation.create({ exclusive: true });
  addCalls(operation, [setId(id)]);
  await pool.operate(idObject(name), operation).catch((error) => {
    if (hasCode(error, "EEXIST")) throw exists(pool, name);
    throw error;
  });
}

async function writeHeader(pool: Pool, id: string, plan: Plan, data: Pool): Promise<void> {
  const { size, order, features, stripeUnit, stripeCount } = plan;
  const operation = new WriteOperation<unknown[]>();
  operation.create({ exclusive: true });
  const dataPoolId = (features & imageFeature.dataPool) !== 0 ? data.id : undefined;
  addCalls(operation, [create(size, order, features, dataPrefix(id, pool.id, data.id), dataPoolId)]);
  await pool.operate(headerObject(id), operation);
  // The method reads the features, so they must be stored first.
  if ((features & imageFeature.striping) !== 0) {
    await changeAll(pool, headerObject(id), [setStriping(stripeUnit, stripeCount)]);
  }
}

/**
 * rbd_info marks a pool as validated for RBD: it supports overwrites and self-managed snapshots
 * (src/librbd/image/ValidatePoolRequest.cc).
 */
export async function markPool(pool: Pool): Promise<void> {
  if (pool.namespace !== "") return;
  if (await isThere(pool, infoObject)) return;
  await pool.snapshots.removeSelfManaged(await pool.snapshots.createSelfManaged());
  await pool.writeFull(infoObject, Buffer.from("overwrite validated"));
}

async function dataPoolOf(cluster: Cluster, name: string, validate: boolean): Promise<Pool> {
  const pool = await cluster.pool(name);
  try {
    if (validate) await markPool(pool);
  } catch (error) {
    if (!hasCode(error, "EOPNOTSUPP")) throw error;
    throw new RbdError(
      "SIPHON_RBD_INVALID",
      `pool ${name} cannot hold images: it does not allow overwrites of parts of objects`,
      {
        ...{ cause: error, hint: `allow them with: ceph osd pool set ${name} allow_ec_overwrites true` },
      },
    );
  }
  return pool;
}

/** The client's global id and a random number in hexadecimal, at most 14 digits. */
export function newId({ globalId }: Cluster): string {
  return `${globalId.toString(16)}${randomInt(2 ** 32).toString(16)}`.slice(-14);
}

function exists(pool: Pool, name: string): RbdError {
  return new RbdError("SIPHON_RBD_EXISTS", `image ${describe(pool, name)} already exists`);
}

function invalid(message: string): RbdError {
  return new RbdError("SIPHON_RBD_INVALID", message);
}
