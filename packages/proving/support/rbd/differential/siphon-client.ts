import { Cluster } from "@siphon/rados";
import type { OpenOptions } from "../../../../rbd/src/image/open-options.ts";
import type { Image } from "../../../../rbd/src/image.ts";
import { ImagePool } from "../../../../rbd/src/image-pool.ts";
import type { Shape, SiphonDiskClient } from "./disk-client.ts";

/** Our client. */
export class SiphonClient implements SiphonDiskClient, AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #pool: ImagePool;
  readonly #options: OpenOptions;
  readonly #images = new Map<string, Image>();

  private constructor(cluster: Cluster, pool: ImagePool, options: OpenOptions) {
    this.#cluster = cluster;
    this.#pool = pool;
    this.#options = options;
  }

  /**
   * @param user for example `client.admin`
   * @param options used to open images
   */
  static async connect(
    conf: string,
    user: string,
    pool: string,
    options: OpenOptions = {},
  ): Promise<SiphonClient> {
    const cluster = await Cluster.connect({ conf, name: user });
    return new SiphonClient(cluster, await ImagePool.open(cluster, pool), options);
  }

  async open(image: string): Promise<void> {
    this.#images.set(image, await this.#pool.open(image, this.#options));
  }

  async close(image: string): Promise<void> {
    await this.#image(image).close();
    this.#images.delete(image);
  }

  async read(image: string, offset: number, length: number, snapshot?: string): Promise<Buffer> {
    if (snapshot === undefined) return this.#image(image).read(offset, length);
    await using at = await this.#pool.open(image, { snapshot });
    return await at.read(offset, length);
  }

  write(image: string, offset: number, bytes: Buffer): Promise<void> {
    return this.#image(image).write(offset, bytes);
  }

  async burst(image: string, writes: readonly { offset: number; bytes: Buffer }[]): Promise<void> {
    await Promise.all(writes.map(({ offset, bytes }) => this.#image(image).write(offset, bytes)));
  }

  releaseLock(image: string): Promise<void> {
    return this.#image(image).locks.release();
  }

  discard(image: string, offset: number, length: number): Promise<void> {
    return this.#image(image).discard(offset, length);
  }

  writeZeroes(image: string, offset: number, length: number): Promise<void> {
    return this.#image(image).writeZeroes(offset, length);
  }

  writeSame(image: string, offset: number, length: number, pattern: Buffer): Promise<void> {
    return this.#image(image).writeSame(offset, length, pattern);
  }

  compareAndWrite(
    image: string,
    offset: number,
    expected: Buffer,
    bytes: Buffer,
  ): Promise<number | undefined> {
    return this.#image(image).compareAndWrite(offset, expected, bytes);
  }

  flush(image: string): Promise<void> {
    return this.#image(image).flush();
  }

  resize(image: string, size: number): Promise<void> {
    return this.#image(image).resize(size, { allowShrink: true });
  }

  async createSnapshot(image: string, snapshot: string): Promise<void> {
    await this.#image(image).snapshots.create(snapshot);
  }

  removeSnapshot(image: string, snapshot: string): Promise<void> {
    return this.#image(image).snapshots.remove(snapshot);
  }

  rollBack(image: string, snapshot: string): Promise<void> {
    return this.#image(image).snapshots.rollBack(snapshot);
  }

  async clone(image: string, snapshot: string, child: string, features: number, shape: Shape): Promise<void> {
    const { order, stripeUnit, stripeCount } = shape;
    const options = { version: 2 as const, features, objectSize: 2 ** order, stripeUnit, stripeCount };
    await this.#pool.clone(image, snapshot, child, this.#pool, options);
  }

  flatten(image: string): Promise<void> {
    return this.#image(image).flatten();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const image of this.#images.values()) await image.close();
    this.#cluster.close();
  }

  #image(name: string): Image {
    const image = this.#images.get(name);
    if (image === undefined) throw new Error(`${name} is not open`);
    return image;
  }
}
