import type { BlockDevice } from "../block-device.ts";
import { AttachError } from "../errors.ts";
import { type ConnectionHost, NbdConnection } from "../nbd/connection.ts";
import type { NbdExport } from "../nbd/export.ts";
import { transmissionFlag } from "../nbd/protocol.ts";
import { connectionHost } from "../nbd/server.ts";
import type { Limits } from "../server/limits.ts";
import type { DeviceRequest } from "./device-request.ts";
import { DriverLink, nextLink } from "./driver-link.ts";
import { checkSize, devicePath, flushPageCache, lookAfterRequests, sectorBytes } from "./kernel-device.ts";
import type { NbdDriver } from "./nbd-driver.ts";

/**
 * A disk for the kernel's NBD driver, over one connection. The driver starts in the transmission phase: it got the
 * export's settings over netlink instead of a handshake.
 *
 * A connection ends in three ways. The driver disconnects, because the device is unmapped. This process ends; the
 * driver keeps requests until another process gives it a connection. The driver drops the connection, because a request
 * took too long; it gets a new one, and resends the unanswered requests.
 */
export class DriverFront implements AsyncDisposable {
  /** Resolves when the driver no longer needs the disk, or another process serves it. */
  readonly ended: Promise<void>;
  /** N of /dev/nbdN. */
  readonly index: number;
  readonly #served: NbdExport;
  readonly #driver: NbdDriver;
  readonly #cookie: string | undefined;
  readonly #log: (line: string) => void;
  readonly #host: ConnectionHost;
  readonly #over = Promise.withResolvers<void>();
  readonly #resizes: Disposable;
  #connection: NbdConnection | undefined;
  #size: number;
  #isStopping = false;
  /** Changes of the size, which follow each other. */
  #resizing: Promise<void> = Promise.resolve();

  /** @throws AttachError SIPHON_ATTACH_DEVICE if the driver rejects the device */
  static async connect(
    served: NbdExport,
    request: DeviceRequest,
    { driver, limits, log }: { driver: NbdDriver; limits: Limits; log: (line: string) => void },
  ): Promise<DriverFront> {
    const { cookie, ioTimeout, noTrim = false, isAttached = false } = request;
    const { device } = served;
    const link = new DriverLink();
    const settings = {
      ...{ size: sizeOf(device), blockSize: blockSizeOf(device), serverFlags: flagsOf(device, noTrim) },
      ...{ timeout: ioTimeout, deadConnectionTimeout: request.reattachTimeout },
      ...{ cookie, socket: link.theirs },
    };
    let index: number;
    try {
      if (isAttached) {
        index = request.index!;
        await driver.reconfigure({ ...settings, index });
      } else index = driver.connect({ ...settings, index: request.index });
    } catch (error) {
      link.discard();
      throw error;
    }
    const front = new DriverFront(served, index, settings, { driver, limits, log });
    if (!front.#serve(link)) {
      front.#resizes[Symbol.dispose]();
      throw new AttachError("SIPHON_ATTACH_DEVICE", `${devicePath(index)} is served by another process`, {
        hint: "detach it there first",
      });
    }
    try {
      await checkSize(index, settings.size);
    } catch (error) {
      if (!isAttached) await driver.disconnect(index);
      await front[Symbol.asyncDispose]();
      throw error;
    }
    if (ioTimeout === undefined) await lookAfterRequests(index, patientLook);
    // It may have changed since the driver was told.
    front.#resizing = front.#resizing.then(() => front.#resize());
    return front;
  }

  private constructor(
    served: NbdExport,
    index: number,
    { cookie, size }: { cookie: string | undefined; size: number },
    { driver, limits, log }: { driver: NbdDriver; limits: Limits; log: (line: string) => void },
  ) {
    this.ended = this.#over.promise;
    this.index = index;
    this.#served = served;
    this.#driver = driver;
    this.#cookie = cookie;
    this.#log = (line) => log(`${devicePath(index)}: ${line}`);
    this.#size = size;
    this.#host = connectionHost({
      ...{ exports: new Map(), credentials: undefined, handshakeTimeout: 0 },
      ...{ limits, log },
      closed: (connection) => this.#closed(connection.hasLeft),
    });
    this.#resizes = served.device.onResize(() => {
      this.#resizing = this.#resizing.then(() => this.#resize());
    });
  }

  /** Takes the device away from this host. */
  async unmap(): Promise<void> {
    await this.#driver.disconnect(this.index);
    await this.ended;
  }

  /** Answers the driver's requests and leaves the device in place. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    this.#resizes[Symbol.dispose]();
    if (this.#connection === undefined) this.#over.resolve();
    this.#connection?.stop(false);
    const impatient = setTimeout(() => this.#connection?.stop(true), patience);
    await this.ended;
    clearTimeout(impatient);
  }

  /** False if the driver has not taken the link. */
  #serve(link: DriverLink): boolean {
    const socket = link.accepted();
    if (socket === undefined) return false;
    const session = { export: this.#served, replies: "simple", contexts: [] } as const;
    this.#connection = new NbdConnection(this.#host, socket, "the NBD driver", session);
    return true;
  }

  #closed(hasLeft: boolean): void {
    this.#connection = undefined;
    if (hasLeft) void lookAfterRequests(this.index, usualLook);
    if (hasLeft || this.#isStopping) this.#over.resolve();
    else void this.#connectAgain();
  }

  async #connectAgain(): Promise<void> {
    const link = await nextLink();
    try {
      await this.#driver.reconfigure({ index: this.index, cookie: this.#cookie, socket: link.theirs });
    } catch (error) {
      link.discard();
      this.#log(`the kernel ended the connection and rejected a new one: ${(error as Error).message}`);
      this.#over.resolve();
      return;
    }
    if (!this.#serve(link)) {
      this.#log("another process serves this device now");
      this.#over.resolve();
      return;
    }
    this.#log("the kernel ended the connection and got a new one");
    if (this.#isStopping) this.#connection!.stop(false);
  }

  /** Before the device shrinks, the page cache drops data beyond the new end. */
  async #resize(): Promise<void> {
    const size = sizeOf(this.#served.device);
    if (size === this.#size || this.#isStopping) return;
    try {
      if (size < this.#size) await flushPageCache(this.index);
      if (this.#isStopping) return;
      await this.#driver.reconfigure({ index: this.index, cookie: this.#cookie, size });
      this.#size = size;
    } catch (error) {
      this.#log(`the kernel rejected the image's new size of ${size} bytes: ${(error as Error).message}`);
    }
  }
}

/** Milliseconds for the driver to take its answers. */
const patience = 5000;
/** Milliseconds. A detached device resumes this soon after it is attached again; the kernel's own interval is long. */
const patientLook = 5000;
const usualLook = 30_000;

function blockSizeOf({ writeUnit = sectorBytes }: BlockDevice): number {
  return Math.max(writeUnit, sectorBytes);
}

/** The kernel has whole blocks only. */
function sizeOf(device: BlockDevice): number {
  const { size } = device;
  return size - (size % blockSizeOf(device));
}

function flagsOf({ readOnly, writesZerosAsData = false }: BlockDevice, noTrim: boolean): number {
  const { hasFlags, sendFlush, sendFua, sendTrim, sendWriteZeroes } = transmissionFlag;
  let flags = hasFlags | sendFlush | sendFua;
  if (readOnly) return flags | transmissionFlag.readOnly;
  if (!noTrim) flags |= sendTrim;
  // Kernels before 6.13 do not look at it, and write zeros as data.
  if (!writesZerosAsData) flags |= sendWriteZeroes;
  return flags;
}
