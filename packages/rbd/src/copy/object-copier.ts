import { NO_SNAP, type Pool, ReadOperation } from "@siphon/rados";
import { crc32c, errnoName } from "@siphon/wire";
import { hasCode, RbdError } from "../errors.ts";
import { poolById } from "../image/pools.ts";
import type { Image } from "../image.ts";
import type { Images } from "../images.ts";
import { dataObject } from "../object-names.ts";
import { defaultSparseSize } from "../transfer/sparse.ts";

/**
 * Makes the OSDs copy whole objects from one image to another, without data through this client. Objects that contain
 * blocks of zeros are left to the client's copy, which skips them; such blocks are found by their known checksum, which
 * the OSD computes.
 */
export class ObjectCopier {
  readonly #source: Image;
  readonly #target: Image;
  readonly #pool: Pool;
  /** The checksum of a block of zeros. */
  readonly #zeros = BigInt(crc32c(0xffffffff, Buffer.alloc(defaultSparseSize)));

  private constructor(source: Image, target: Image, pool: Pool) {
    this.#source = source;
    this.#target = target;
    this.#pool = pool;
  }

  /**
   * Undefined if the images' object layouts differ.
   *
   * @param target without a parent
   */
  static async between(
    from: Images,
    source: Image,
    to: Images,
    target: Image,
  ): Promise<ObjectCopier | undefined> {
    const [theirs, ours] = [source.header, target.header];
    const isAlike =
      theirs.objectSize === ours.objectSize && theirs.stripeCount === 1 && ours.stripeCount === 1;
    if (from.cluster !== to.cluster || !isAlike || ours.parent !== undefined) return undefined;
    const pool = await poolById(from.cluster, theirs.dataPoolId, theirs.namespace);
    return new ObjectCopier(source, target, pool);
  }

  /**
   * Copies the object that begins at an offset of the image.
   *
   * @param length of the object as far as it is known to exist, in bytes @returns false if it was not copied: the
   * target's object still does not exist
   */
  async copy(offset: number, length: number): Promise<boolean> {
    const { objectSize, objectPrefix, dataPoolId, namespace } = this.#source.header;
    const objectNumber = offset / objectSize;
    if (!Number.isInteger(objectNumber) || length > objectSize) return false;
    const name = dataObject(objectPrefix, objectNumber);
    const snapId = this.#source.snapId ?? NO_SNAP;
    const isRefused = (error: unknown) => {
      if (
        error instanceof RbdError ? refusals.has(errnoName(error.errno) ?? "") : hasCode(error, ...refusals)
      )
        return true;
      throw error;
    };
    if (await this.#hasZeros(name, snapId, length).catch(isRefused)) return false;
    const copying = this.#target.copyObject(objectNumber, { poolId: dataPoolId, namespace, name, snapId });
    if (!(await copying.then(() => false, isRefused))) return true;
    // The object map says that the object exists.
    await this.#target.writeZeroes(offset, objectSize);
    return false;
  }

  async #hasZeros(name: string, snapId: number, length: number): Promise<boolean> {
    const chunk = defaultSparseSize;
    const whole = length - (length % chunk);
    if (whole === 0) return true;
    const asked = new ReadOperation().checksum("crc32c", { length: whole, chunk });
    const [checksums] = (await this.#pool.operate(name, asked, { snapId })).values;
    return checksums.length !== whole / chunk || checksums.includes(this.#zeros);
  }
}

/** The object is gone, or its pool cannot do this. */
const refusals: ReadonlySet<string> = new Set(["EPERM", "ENOENT", "EINVAL", "EOPNOTSUPP"]);
