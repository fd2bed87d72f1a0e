import type { Cluster, Pool } from "@siphon/rados";
import { throwUnowned } from "@siphon/rados/engine";
import { SiphonError } from "@siphon/wire";
import type { RbdError } from "../errors.ts";
import type { ImageHeader } from "../header/image-header.ts";
import type { ImageIo } from "../io/image-io.ts";
import { ExclusiveLock } from "../lock/exclusive-lock.ts";
import type { LockHost } from "../lock/lock-host.ts";
import type { NotifyMessage } from "../watch/notify-message.ts";
import { assertWritable, has } from "./features.ts";
import { notice } from "./notices.ts";
import type { OwnMap } from "./own-map.ts";

/** The parts of an open image that depend on its lock. */
export interface OwnedImage {
  readonly cluster: Cluster;
  readonly pool: Pool;
  readonly readOnly: boolean;
  /** Keeps the lock from other clients. */
  readonly keepsLock: boolean;
  /** Waits for an owner that keeps the lock. */
  readonly waitsForLock: boolean;
  readonly io: Pick<ImageIo, "pauseWrites" | "resumeWrites" | "setOwner" | "useMap">;
  readonly map: Pick<OwnMap, "open" | "close">;
  header(): ImageHeader;
  watchCookie(): Promise<bigint>;
  askOwner(message: NotifyMessage): Promise<number | undefined>;
  tell(message: NotifyMessage): Promise<void>;
  /** Reads the header again. */
  refresh(): Promise<void>;
  /** Resolves when the image has applied all changes of its header. */
  settled(): Promise<void>;
  /** Whether the image was closed. */
  hasEnded(): boolean;
  /** Another client keeps the lock, and writes wait; undefined: they no longer wait. */
  waiting(error: RbdError | undefined): void;
  fenced(error: RbdError): void;
}

/**
 * The exclusive lock of an open image. The feature can be enabled and disabled while the image is open. Writes begin
 * when the lock is acquired, the header was read and the object map is loaded; they end before the lock is released.
 */
export class Ownership implements LockHost {
  readonly #image: OwnedImage;
  #lock: ExclusiveLock | undefined;
  /** Writes wait until the lock is released. */
  #handingOver = false;
  /** Whether this client keeps the lock when others request it. */
  keepsLock: boolean;

  constructor(image: OwnedImage) {
    this.#image = image;
    this.keepsLock = image.keepsLock;
    this.follow();
  }

  /** Undefined for images without feature exclusive-lock, and for read-only ones. */
  get lock(): ExclusiveLock | undefined {
    return this.#lock;
  }

  /** Follows the header's feature exclusive-lock. */
  follow(): void {
    const { io, readOnly, waitsForLock: waits } = this.#image;
    const locks = !readOnly && has(this.#image.header(), "exclusiveLock");
    if (locks === (this.#lock !== undefined)) return;
    this.#lock?.retire();
    this.#lock = locks ? new ExclusiveLock(this, { keeps: () => this.keepsLock, waits }) : undefined;
    io.useMap(undefined);
    io.setOwner(false);
  }

  get cluster(): Cluster {
    return this.#image.cluster;
  }

  get pool(): Pool {
    return this.#image.pool;
  }

  get image(): { id: string; name: string } {
    return this.#image.header();
  }

  watchCookie(): Promise<bigint> {
    return this.#image.watchCookie();
  }

  askOwner(message: NotifyMessage): Promise<number | undefined> {
    return this.#image.askOwner(message);
  }

  tell(message: NotifyMessage): Promise<void> {
    return this.#image.tell(message);
  }

  async acquired(): Promise<void> {
    await this.#image.refresh();
    assertWritable(this.#image.header());
    await this.#image.map.open();
  }

  owned(): void {
    this.#image.io.setOwner(true);
  }

  waiting(error: RbdError | undefined): void {
    this.#image.waiting(error);
  }

  async releasing(): Promise<void> {
    const { io, map } = this.#image;
    this.#handingOver = true;
    await io.pauseWrites();
    await this.#image.settled();
    io.setOwner(false);
    await map.close();
  }

  released(): void {
    const { io } = this.#image;
    io.setOwner(false);
    io.useMap(undefined);
    if (this.#handingOver) void io.resumeWrites();
    this.#handingOver = false;
  }

  notReleased(error: unknown): void {
    if (!(error instanceof SiphonError)) throwUnowned(error);
    else if (!this.#image.hasEnded()) notice({ event: "kept", image: this.image.name, error });
  }

  fenced(error: RbdError): void {
    this.#image.fenced(error);
  }
}
