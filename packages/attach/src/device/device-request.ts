import type { ClusterOptions } from "@siphon/rados";
import type { EncryptionLayer } from "@siphon/rbd";
import type { ImageSpec } from "../server/image-spec.ts";
import type { Failure } from "../shards/failure.ts";
import type { DriverParameters } from "./kernel-device.ts";

/** An image that becomes a block device of this host. */
export interface DeviceRequest extends DriverParameters {
  readonly image: ImageSpec;
  readonly snapshotId?: number | undefined;
  /** N of /dev/nbdN; without one the kernel chooses a device that is free. */
  readonly index?: number | undefined;
  /** The device exists and waits for a process that serves it. */
  readonly isAttached?: boolean;
  /** The kernel requires it for later changes of the device; a new device without one gets one. */
  readonly cookie?: string | undefined;
  readonly readOnly?: boolean;
  /** The image's lock is taken at once and kept. */
  readonly exclusive?: boolean;
  /** The device has no discards. */
  readonly noTrim?: boolean;
  /** Seconds for a request, after which the kernel drops the connection; by default it waits. */
  readonly ioTimeout?: number | undefined;
  /** Seconds that requests wait for another process after this one has ended. */
  readonly reattachTimeout: number;
  readonly encryption?: readonly EncryptionLayer[] | undefined;
}

/** The task of a process that serves a device. */
export interface DeviceJob {
  readonly cluster: Omit<ClusterOptions, "signal" | "openTransport">;
  readonly request: DeviceRequest;
  /** Directory for files about the devices of this host. */
  readonly directory: string;
}

/** Messages of that process, until the device exists or cannot be created. */
export type DeviceStart =
  | { readonly type: "mapped"; readonly device: string; readonly cookie: string | undefined }
  | { readonly type: "warning"; readonly line: string }
  | { readonly type: "failed"; readonly failure: Failure };
