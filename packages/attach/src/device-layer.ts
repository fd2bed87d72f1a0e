import type { ImageRequest } from "@siphon/rbd/engine";
import type { BlockDevice } from "./block-device.ts";
import { ioKind } from "./server/io-metrics.ts";

/** A disk in front of another one, with the same properties. It decides when requests go on. */
export abstract class DeviceLayer implements BlockDevice {
  protected readonly device: BlockDevice;

  constructor(device: BlockDevice) {
    this.device = device;
  }

  get size(): number {
    return this.device.size;
  }

  get readOnly(): boolean {
    return this.device.readOnly;
  }

  get volatile(): boolean {
    return this.device.volatile;
  }

  get optimalIoSize(): number {
    return this.device.optimalIoSize;
  }

  get writeUnit(): number | undefined {
    return this.device.writeUnit;
  }

  get writesZerosAsData(): boolean | undefined {
    return this.device.writesZerosAsData;
  }

  onResize(listener: (size: number) => void): Disposable {
    return this.device.onResize(listener);
  }

  abstract read(request: ImageRequest): void;
  abstract write(request: ImageRequest): void;
  abstract flush(request: ImageRequest): void;
  abstract discard(request: ImageRequest): void;
  abstract writeZeroes(request: ImageRequest): void;

  /** @param kind a place of `ioKind` */
  protected begin(request: ImageRequest, kind: number): void {
    if (kind === ioKind.read) this.device.read(request);
    else if (kind === ioKind.write) this.device.write(request);
    else if (kind === ioKind.flush) this.device.flush(request);
    else if (kind === ioKind.discard) this.device.discard(request);
    else this.device.writeZeroes(request);
  }
}
