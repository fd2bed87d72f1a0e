import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CephClient } from "../ceph/client.ts";
import { LabError } from "../errors.ts";
import { RecordedImage } from "../image/recorded.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { Offers } from "../rungs/rung.ts";
import type { Report } from "../step.ts";
import type { VmSettings } from "../vm/settings.ts";
import { layImage } from "./lay-image.ts";
import type { LadderOptions } from "./options.ts";
import type { Target } from "./target.ts";

/** Maximum size of a LUKS header in bytes. */
const HEADER = 32 * 2 ** 20;

/** Further images with other layouts or formats, each filled like the ladder's own. */
export interface FurtherImages extends AsyncDisposable {
  /** The target, with a separate image for settings that need one. */
  target: Target;
}

/** Whether such images are possible. */
export function imageOffers({
  guestImage,
}: Pick<LadderOptions, "guestImage">): Pick<Offers, "noFurtherImages"> {
  if (guestImage === undefined) return {};
  return { noFurtherImages: "the VM boots from its image (--guest-image), and another would have no guest" };
}

/** Creates the images that rungs need, each once. If one cannot be created, its rungs fail, and the others continue. */
export async function makeFurtherImages(
  target: Target,
  rungs: readonly PlannedClimb[],
  size: number,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<FurtherImages> {
  await using stack = new AsyncDisposableStack();
  const images = new Map<string, string | LabError>();
  const passphraseFile = await newPassphrase(stack);
  for (const { settings } of rungs) {
    const key = kindOf(settings);
    if (settings.image === undefined || images.has(key)) continue;
    const hooks = { report: (text: string) => report(`${key}: ${text}`), signal };
    try {
      images.set(key, await makeImage(target.client, settings.image, { size, passphraseFile }, stack, hooks));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof LabError)) throw error;
      images.set(key, error);
    }
  }
  const all = stack.move();
  const diskFor: Target["diskFor"] = (settings) => {
    const base = target.diskFor(settings);
    if (settings.image === undefined) return base;
    const image = images.get(kindOf(settings));
    if (typeof image !== "string") throw image ?? new Error("no such image was asked for");
    const { luks } = settings.image;
    return { ...base, image, ...(luks && { luks: { by: luks, passphraseFile } }) };
  };
  return { target: { ...target, diskFor }, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Creates and fills an image; the stack removes it. */
async function makeImage(
  client: CephClient,
  { objectSize, luks }: NonNullable<VmSettings["image"]>,
  { size, passphraseFile }: { size: number; passphraseFile: string },
  stack: AsyncDisposableStack,
  hooks: { report: Report; signal: AbortSignal },
): Promise<string> {
  const made = await RecordedImage.create(client, {
    purpose: "ladder",
    size: size + (luks ? HEADER : 0),
    ...(objectSize !== undefined && { objectSize }),
    signal: hooks.signal,
  });
  const { image } = stack.use(made);
  await layImage(client, image, { size }, hooks);
  if (!luks) return image;
  // Only the header is written: the guest reads random data anyway.
  const options = { signal: hooks.signal, what: `encrypt the image ${client.spec(image)}` };
  await client.rbd(["encryption", "format", client.spec(image), "luks1", passphraseFile], options);
  return image;
}

/** The key of an image, equal for settings that can share one: both librbd and QEMU open LUKS1. */
function kindOf({ image }: Pick<VmSettings, "image">): string {
  const objects = image?.objectSize === undefined ? "usual objects" : `objects of ${image.objectSize} bytes`;
  return image?.luks ? `${objects}, LUKS` : objects;
}

/** A file with a random passphrase, readable only by this user. */
async function newPassphrase(stack: AsyncDisposableStack): Promise<string> {
  const directory = stack.adopt(await mkdtemp(join(tmpdir(), "siphon-luks-")), (made) =>
    rm(made, { recursive: true, force: true }),
  );
  const file = join(directory, "passphrase");
  await writeFile(file, randomBytes(24).toString("base64url"), { mode: 0o600 });
  return file;
}
