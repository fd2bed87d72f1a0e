import { closeSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { AttachError } from "../errors.ts";
import { checked, lastErrno, libc } from "../vhost/native/libc.ts";
import { deviceNumber, isInUse } from "./kernel-device.ts";
import { type DeviceMapping, startTime } from "./mappings.ts";
import { NbdDriver } from "./nbd-driver.ts";

/**
 * Removes a device, and waits until its process has closed the image.
 *
 * @param mapping of the process that serves it, if there is one
 * @param force remove a device that is in use, too
 * @throws AttachError SIPHON_ATTACH_DEVICE if the device is in use or not mapped
 */
export async function unmapDevice(
  device: string,
  mapping: DeviceMapping | undefined,
  { force = false }: { force?: boolean } = {},
): Promise<void> {
  const index = deviceNumber(device);
  using driver = NbdDriver.open();
  if (!driver.isConnected(index)) throw new AttachError("SIPHON_ATTACH_DEVICE", `${device} is not mapped`);
  // Without its process a device does not answer this question, and takes no writes.
  if (!force && mapping !== undefined && (await isInUse(index))) {
    throw new AttachError(
      "SIPHON_ATTACH_DEVICE",
      `${device} is in use: it is mounted, or part of another device`,
      {
        hint: "unmount it first; -o force loses data that is not written yet",
      },
    );
  }
  await driver.disconnect(index);
  if (mapping !== undefined) await ended(mapping);
}

/** Ends the process of a device in order. The device stays, and waits for another one. */
export async function detachDevice(mapping: DeviceMapping): Promise<void> {
  await terminate(mapping);
  await ended(mapping);
}

/**
 * Sends SIGTERM through a process descriptor, because the process id may have been reused. Kernels before Linux 5.3
 * have no such descriptors.
 *
 * @throws AttachError SIPHON_ATTACH_NATIVE if this user is not allowed to
 */
async function terminate({ pid, startTime: started }: DeviceMapping): Promise<void> {
  const { syscall } = libc();
  const fd = syscall(pidfdOpen, pid, 0, 0, 0);
  try {
    if ((await startTime(pid)) !== started) return;
    if (fd < 0) process.kill(pid, "SIGTERM");
    else {
      const result = syscall(pidfdSendSignal, fd, constants.signals.SIGTERM, 0, 0);
      if (result < 0 && lastErrno() !== "ESRCH") checked(result, `end process ${pid}`);
    }
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

/** Numbers of the calls, the same on all architectures. */
const pidfdOpen = 434;
const pidfdSendSignal = 424;

/** @throws AttachError SIPHON_ATTACH_DRAIN if it takes too long */
async function ended({ pid, device, startTime: started }: DeviceMapping): Promise<void> {
  const until = performance.now() + patience;
  while ((await startTime(pid)) === started) {
    if (performance.now() > until) {
      throw new AttachError("SIPHON_ATTACH_DRAIN", `process ${pid} of ${device} does not end`, {
        hint: "it waits until the cluster has stored all writes",
      });
    }
    await sleep(20);
  }
}

/** Milliseconds: more than a process needs to end in order. */
const patience = 35_000;
