import { once } from "node:events";
import { extname } from "node:path";
import { AttachError } from "../errors.ts";
import { formatImageSpec } from "../server/image-spec.ts";
import { errorOf } from "../shards/failure.ts";
import { forkProgram } from "../shards/fork-program.ts";
import type { DeviceJob, DeviceStart } from "./device-request.ts";

/** A device that was mapped. */
export interface StartedDevice {
  /** `/dev/nbd0` */
  readonly device: string;
  /** Undefined if the kernel has none. */
  readonly cookie: string | undefined;
}

/**
 * Maps an image as a block device of this host, served by a process of its own that keeps running.
 *
 * @param warn called for options without effect
 * @throws AttachError SIPHON_ATTACH_DEVICE if the kernel fails; the errors of opening the image and connecting to its
 * cluster
 */
export async function startDevice(
  job: DeviceJob,
  warn: (line: string) => void,
  signal: AbortSignal,
): Promise<StartedDevice> {
  signal.throwIfAborted();
  // The argument only shows in lists of processes.
  const child = forkProgram(program, [formatImageSpec(job.request.image)], {
    ...{ serialization: "advanced", detached: true },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const stop = () => child.kill();
  signal.addEventListener("abort", stop, { once: true });
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-longestSaid);
  });
  try {
    return await new Promise<StartedDevice>((resolve, reject) => {
      child.on("message", (message: DeviceStart) => {
        if (message.type === "mapped") resolve(message);
        else if (message.type === "warning") warn(message.line);
        else reject(errorOf(message.failure));
      });
      child.once("error", (error) => reject(endedEarly(error.message)));
      // Waits until all of its output was read.
      child.once("close", (code, killed) => {
        reject(endedEarly(said.trim() || (killed ?? `exit code ${code}`)));
      });
      child.send(job, () => {});
    });
  } catch (error) {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
      await once(child, "exit");
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    if (child.connected) child.disconnect();
    child.stderr!.destroy();
    child.unref();
  }
}

function endedEarly(how: string): AttachError {
  return new AttachError(
    "SIPHON_ATTACH_DEVICE",
    `the process that serves the device ended during start-up: ${how}`,
  );
}

/** Characters. */
const longestSaid = 4096;
const program = new URL(`./device-program${extname(import.meta.filename)}`, import.meta.url);
