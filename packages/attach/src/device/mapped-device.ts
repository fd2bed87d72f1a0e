import { randomUUID } from "node:crypto";
import type { Cluster } from "@siphon/rados";
import { DiskServer } from "../server/disk-server.ts";
import type { Log } from "../server/log.ts";
import { openRbdDisk } from "../server/rbd-disk.ts";
import { Shared } from "../server/shared.ts";
import type { DeviceRequest } from "./device-request.ts";
import { DriverFront } from "./driver-front.ts";
import { NbdDriver } from "./nbd-driver.ts";

/** An image that this process serves as /dev/nbdN. */
export class MappedDevice {
  readonly #front: DriverFront;
  readonly #server: DiskServer;

  private constructor(front: DriverFront, server: DiskServer) {
    this.#front = front;
    this.#server = server;
  }

  /** @throws AttachError SIPHON_ATTACH_DEVICE if the driver fails; the errors of opening the image */
  static async start(cluster: Cluster, request: DeviceRequest, log: Log): Promise<MappedDevice> {
    const { image, snapshotId, readOnly = false, exclusive = false, encryption, isAttached } = request;
    await using undo = new AsyncDisposableStack();
    const beside = undo.use(new DisposableStack());
    const driver = beside.use(NbdDriver.open());
    const shared = beside.use(new Shared(log));
    const disk = await openRbdDisk(cluster, image, {
      ...{ readOnly, sharesLock: !exclusive, log },
      ...(snapshotId !== undefined && { snapshotId }),
      ...(encryption && { encryption }),
    });
    undo.defer(() => disk.close());
    beside.use(shared.stalls.watch(disk));
    const cookie = isAttached ? request.cookie : (request.cookie ?? randomUUID());
    const front = await DriverFront.connect(
      { ...disk, description: "" },
      { ...request, cookie },
      { driver, limits: shared.limits, log },
    );
    undo.move();
    return new MappedDevice(front, new DiskServer([disk], [front], [], beside));
  }

  /** N of /dev/nbdN. */
  get index(): number {
    return this.#front.index;
  }

  /** Resolves when the kernel no longer needs the device, or another process serves it. */
  get ended(): Promise<void> {
    return this.#front.ended;
  }

  /**
   * Answers the requests in flight and closes the image. The device, if it still exists, stays for the next process.
   */
  detach(): Promise<void> {
    return this.#server.drain();
  }

  /** Removes the device. */
  async unmap(): Promise<void> {
    await this.#front.unmap();
    await this.detach();
  }
}
