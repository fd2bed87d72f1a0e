import { existsSync } from "node:fs";
import { longestTimer } from "@siphon/wire";
import { z } from "zod";
import type { CephClient } from "../ceph/client.ts";
import { cephEnvironment } from "../ceph/environment.ts";
import { checkSpace } from "../ceph/space.ts";
import { LabError } from "../errors.ts";
import { lastWords, run } from "../host/command.ts";
import { withProgram } from "../host/platform.ts";
import { rbdName } from "../vm/disk.ts";
import { type ImageOptions, imageExists, renameImage } from "./image.ts";
import { RecordedImage } from "./recorded.ts";
import { StallGuard } from "./stall.ts";

export interface ImportOptions extends ImageOptions {
  /** A qcow2 or raw file, or another format that qemu-img reads. */
  file: string;
  /** Bytes of the image, if larger than the disk in the file. */
  size?: number;
  /** Called with the fraction done, from 0 to 1. */
  onProgress?: (share: number) => void;
}

/** Facts of an image file, from qemu-img. */
export interface ImageFile {
  format: string;
  /** Bytes of the disk in it. */
  virtualSize: number;
  /** Allocated bytes of the file. */
  actualSize: number;
}

/**
 * Imports an image file into RBD with `qemu-img convert`, as the study does. The image gets its name when it is
 * complete; a failure or abort leaves nothing.
 *
 * @throws LabError SIPHON_IN_USE when the name is taken
 */
export async function importImage(
  client: CephClient,
  { file, image, size, signal, onProgress }: ImportOptions,
): Promise<void> {
  const source = await imageFile(file);
  if (size !== undefined && size < source.virtualSize) {
    throw new LabError(
      "SIPHON_USAGE",
      `${file} holds a disk of ${source.virtualSize} bytes; ${size} are too few`,
    );
  }
  const what = `importing ${file} into ${client.spec(image)}`;
  if (await imageExists(client, { image, signal })) {
    throw new LabError("SIPHON_IN_USE", `there is already an image ${client.spec(image)}`, {
      hint: "choose another name, or remove it first: rbd rm",
    });
  }
  await checkSpace(client, source.actualSize, what, signal);
  const imageSize = size ?? source.virtualSize;
  await using made = await RecordedImage.create(client, { purpose: "import", size: imageSize, signal });
  await writeFileToImage(client, { file, image: made.image, signal, onProgress });
  await renameImage(client, { image: made.image, to: image, signal });
  await made.release();
}

/** Inspects an image file; throws SIPHON_NOT_FOUND, or SIPHON_USAGE if qemu-img cannot read it. */
export async function imageFile(file: string): Promise<ImageFile> {
  if (!existsSync(file)) throw new LabError("SIPHON_NOT_FOUND", `there is no file ${file}`);
  const result = await run("qemu-img", ["info", "--output=json", file], { anyExitCode: true });
  if (result.exitCode !== 0) {
    throw new LabError("SIPHON_USAGE", `qemu-img cannot read ${file}: ${lastWords(result)}`);
  }
  const info = fileInfo.parse(JSON.parse(result.stdout));
  return { format: info.format, virtualSize: info["virtual-size"], actualSize: info["actual-size"] };
}

const fileInfo = z.object({ format: z.string(), "virtual-size": z.int(), "actual-size": z.int() });

/** Writes an image file into a new, empty image that is large enough. */
export async function writeFileToImage(
  client: CephClient,
  { file, image, signal, onProgress }: Omit<ImportOptions, "size">,
): Promise<void> {
  const { format } = await imageFile(file);
  const what = `writing ${file} to ${client.spec(image)}`;
  const { conf, user, namespace } = client.target;
  using guard = new StallGuard(what, { signal });
  const target = rbdName({ pool: client.pool, namespace, image, user, conf });
  // The image is new: zeros need not be written, and writes may be out of order.
  const args = ["convert", "-p", "-n", "--target-is-zero", "-W", "-m", "8", "-f", format, "-O", "raw"];
  const result = await run("qemu-img", [...args, file, target], {
    from: withProgram(client.platform, "qemu-img"),
    env: { ...cephEnvironment, ...client.environment },
    anyExitCode: true,
    signal: guard.signal,
    timeoutMs: longestTimer,
    onStdout: (text) => {
      // " (12.34/100%)" and a carriage return: qemu-img's only progress output.
      const percent = [...text.matchAll(/\((\d+\.\d+)\/100%\)/g)].at(-1)?.[1];
      if (percent === undefined) return;
      guard.progress();
      onProgress?.(Number(percent) / 100);
    },
  });
  if (result.exitCode === 0) return;
  if (/Unknown (protocol|driver) 'rbd'/.test(result.stderr)) {
    throw new LabError("SIPHON_MISSING_PROGRAM", "qemu-img has no rbd driver", {
      hint: "install it: npm run setup names the package (Debian: qemu-block-extra)",
    });
  }
  throw new LabError("SIPHON_PROGRAM_FAILED", `${what} failed: ${lastWords(result)}`);
}
