import type { EncryptedImage, Image } from "@siphon/rbd";
import type { ImageRequest } from "@siphon/rbd/engine";
import type { BlockDevice } from "../block-device.ts";

/** The decrypted data of an image as a disk, without the LUKS header. */
export class EncryptedDevice implements BlockDevice {
  readonly readOnly: boolean;
  readonly volatile: boolean;
  readonly optimalIoSize: number;
  readonly writeUnit: number;
  readonly writesZerosAsData = true;
  readonly #image: Image;
  readonly #plain: EncryptedImage;

  constructor(image: Image, plain: EncryptedImage) {
    this.#image = image;
    this.#plain = plain;
    this.readOnly = image.readOnly;
    this.volatile = image.volatile;
    this.optimalIoSize = image.optimalIoSize;
    this.writeUnit = plain.sectorBytes;
  }

  get size(): number {
    return this.#plain.size;
  }

  read(request: ImageRequest): void {
    this.#plain.read(request);
  }

  write(request: ImageRequest): void {
    this.#plain.write(request);
  }

  flush(request: ImageRequest): void {
    this.#plain.flush(request);
  }

  discard(request: ImageRequest): void {
    this.#plain.discard(request);
  }

  writeZeroes(request: ImageRequest): void {
    this.#plain.writeZeroes(request);
  }

  onResize(listener: (size: number) => void): Disposable {
    return this.#image.onResize(() => listener(this.size));
  }
}
