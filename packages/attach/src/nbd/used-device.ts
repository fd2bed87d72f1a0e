import type { ImageRequest } from "@siphon/rbd/engine";
import type { BlockDevice } from "../block-device.ts";
import { DeviceLayer } from "../device-layer.ts";
import type { DiskUse } from "../server/disk-use.ts";

/**
 * A disk counts as used from a client's first change until a flush: NBD does not tell whether a VM runs, but QEMU
 * flushes when it stops a VM.
 */
export class UsedDevice extends DeviceLayer {
  readonly #use: DiskUse;
  #isUsed = false;
  #clients = 0;

  constructor(device: BlockDevice, use: DiskUse) {
    super(device);
    this.#use = use;
  }

  read(request: ImageRequest): void {
    this.device.read(request);
  }

  write(request: ImageRequest): void {
    this.#begin();
    this.device.write(request);
  }

  discard(request: ImageRequest): void {
    this.#begin();
    this.device.discard(request);
  }

  writeZeroes(request: ImageRequest): void {
    this.#begin();
    this.device.writeZeroes(request);
  }

  flush(request: ImageRequest): void {
    this.#end();
    this.device.flush(request);
  }

  joined(): void {
    this.#clients++;
  }

  left(): void {
    if (--this.#clients === 0) this.#end();
  }

  #begin(): void {
    if (this.#isUsed) return;
    this.#isUsed = true;
    this.#use.begin(this);
  }

  /** Changes in flight keep the lock until they are done. */
  #end(): void {
    this.#isUsed = false;
    this.#use.end(this);
  }
}
