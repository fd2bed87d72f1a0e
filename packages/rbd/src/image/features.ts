import { errno } from "@siphon/wire";
import { RbdError } from "../errors.ts";
import type { ImageHeader } from "../header/image-header.ts";
import { imageFeature } from "../image-state.ts";

/** Features that siphon can write with, and those that do not matter for reads. */
const writable =
  imageFeature.layering |
  imageFeature.striping |
  imageFeature.exclusiveLock |
  imageFeature.objectMap |
  imageFeature.fastDiff |
  imageFeature.deepFlatten |
  imageFeature.dataPool |
  imageFeature.operations;
const readable = writable | imageFeature.journaling | imageFeature.nonPrimary;

const names: Record<number, string> = {
  1: "layering",
  2: "striping",
  4: "exclusive-lock",
  8: "object-map",
  16: "fast-diff",
  32: "deep-flatten",
  64: "journaling",
  128: "data-pool",
  256: "operations",
  512: "migrating",
  1024: "non-primary",
};

/** Names of feature bits, as `rbd` prints them. */
export function featureNames(features: number): string[] {
  return Array.from({ length: 53 }, (_, bit) => 2 ** bit)
    .filter((bit) => hasBit(features, bit))
    .map((bit) => names[bit] ?? `unknown feature ${bit}`);
}

/** @throws RbdError SIPHON_RBD_INVALID for a name that no feature has */
export function featureOf(name: string): number {
  const found = Object.entries(names).find(([, each]) => each === name);
  if (found !== undefined) return Number(found[0]);
  throw new RbdError("SIPHON_RBD_INVALID", `there is no feature ${name}`, {
    hint: `features are ${Object.values(names).join(", ")}`,
  });
}

export function has(image: { readonly features: number }, feature: keyof typeof imageFeature): boolean {
  return (image.features & imageFeature[feature]) !== 0;
}

/** @throws RbdError SIPHON_RBD_UNSUPPORTED if data could be read wrongly */
export function assertReadable({ name, incompatible, features }: ImageHeader): void {
  const unknown = difference(incompatible.toRead, readable);
  const isMigrating = hasBit(features, imageFeature.migrating);
  if (unknown === 0 && !isMigrating) return;
  const which = featureNames(unknown || imageFeature.migrating).join(", ");
  throw new RbdError(
    "SIPHON_RBD_UNSUPPORTED",
    `image ${name} has features that siphon cannot read: ${which}`,
    {
      hint: "use rbd or librbd with this image",
    },
  );
}

/** @throws RbdError SIPHON_RBD_UNSUPPORTED if a write could damage something */
export function assertWritable({ name, incompatible, features, format }: ImageHeader): void {
  if (format === 1) {
    throw new RbdError(
      "SIPHON_RBD_UNSUPPORTED",
      `image ${name} has format 1, and siphon cannot write to it`,
      {
        ...{ errno: -errno.EOPNOTSUPP, hint: "copy it to an image of format 2" },
      },
    );
  }
  if (hasBit(features, imageFeature.nonPrimary)) {
    throw new RbdError(
      "SIPHON_RBD_UNSUPPORTED",
      `image ${name} is a non-primary mirrored image and cannot be written to`,
      {
        ...{ errno: -errno.EROFS, hint: "promote it with: rbd mirror image promote" },
      },
    );
  }
  const unknown = difference(incompatible.toWrite, writable);
  if (unknown === 0) return;
  const which = featureNames(unknown).join(", ");
  throw new RbdError(
    "SIPHON_RBD_UNSUPPORTED",
    `image ${name} has features that siphon cannot write with: ${which}`,
    {
      ...{ errno: -errno.EROFS, hint: "open it read-only, or disable them with: rbd feature disable" },
    },
  );
}

function hasBit(features: number, bit: number): boolean {
  return Math.floor(features / bit) % 2 === 1;
}

/** Bits of `a` that `b` lacks; both may exceed 32 bits. */
function difference(a: number, b: number): number {
  return Number(BigInt(a) & ~BigInt(b));
}
