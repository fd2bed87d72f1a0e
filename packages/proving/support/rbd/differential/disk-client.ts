/** How the bytes of an image are distributed over objects. */
export interface Shape {
  /** Objects have `2 ** order` bytes. */
  order: number;
  stripeUnit: number;
  stripeCount: number;
}

/** A client that works on images: ours or librbd. */
export interface DiskClient {
  open(image: string): Promise<void>;
  close(image: string): Promise<void>;
  read(image: string, offset: number, length: number, snapshot?: string): Promise<Buffer>;
  write(image: string, offset: number, bytes: Buffer): Promise<void>;
  discard(image: string, offset: number, length: number): Promise<void>;
  writeZeroes(image: string, offset: number, length: number): Promise<void>;
  flush(image: string): Promise<void>;
  resize(image: string, size: number): Promise<void>;
  createSnapshot(image: string, snapshot: string): Promise<void>;
  removeSnapshot(image: string, snapshot: string): Promise<void>;
  rollBack(image: string, snapshot: string): Promise<void>;
  clone(image: string, snapshot: string, child: string, features: number, shape: Shape): Promise<void>;
  flatten(image: string): Promise<void>;
}

/** Operations of our client only, because this release's python3-rbd lacks them. */
export interface SiphonDiskClient extends DiskClient {
  writeSame(image: string, offset: number, length: number, pattern: Buffer): Promise<void>;
  /** @returns offset of the first difference; undefined if the image matched and was written */
  compareAndWrite(
    image: string,
    offset: number,
    expected: Buffer,
    bytes: Buffer,
  ): Promise<number | undefined>;
  /** librbd rolls back an image only if its lock is free. */
  releaseLock(image: string): Promise<void>;
  /** Writes that are all in flight at the same time. */
  burst(image: string, writes: readonly { offset: number; bytes: Buffer }[]): Promise<void>;
}
