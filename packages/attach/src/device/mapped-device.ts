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

  /** @throws AttachError SIPHON_ATTACH_DEVICE where the driver does not do it, and what is wrong with the image */
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

  /** The kernel needs the device no longer, or has it from another process. */
  get ended(): Promise<void> {
    return this.#front.ended;
  }

  /** Answers what is under way, lets go of the image, and leaves the device, if it is there still, to whoever comes next. */
  detach(): Promise<void> {
    return this.#server.drain();
  }

  /** Takes the device away. */
  async unmap(): Promise<void> {
    await this.#front.unmap();
    await this.detach();
  }
}
