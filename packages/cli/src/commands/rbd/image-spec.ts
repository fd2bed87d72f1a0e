import { SiphonError } from "@siphon/wire";
import type { Command } from "commander";
import { defaultPool } from "./default-pool.ts";

/** An image or a snapshot, as Ceph's rbd takes it: `[pool/[namespace/]]image[@snapshot]`. */
export interface ImageSpec {
  pool: string;
  namespace: string;
  image: string;
  snapshot: string | undefined;
  /** `image` is an id instead of a name; the image may be in the trash. */
  byId?: boolean;
}

/** The same spec given by options, as rbd also takes it. `image` may be a whole spec. */
export interface SpecFlags {
  pool?: string;
  namespace?: string;
  image?: string;
  snap?: string;
  imageId?: string;
}

export function withSpecFlags(command: Command): Command {
  return withPoolFlag(command)
    .option("--namespace <namespace>", "namespace in the pool")
    .option("--image <image>", "image, or all of its spec, instead of the argument")
    .option("--snap <snapshot>", "snapshot, instead of behind an @");
}

export function withPoolFlag(command: Command): Command {
  return command.option("-p, --pool <pool>", "pool (default: rbd)");
}

/** Adds the option that names an image by its id. */
export function withImageId(command: Command): Command {
  return command.option("--image-id <id>", "id of the image instead of its name, also in the trash");
}

/** @param argument ignored if an option names the image */
export function imageSpec(argument: string | undefined, flags: SpecFlags): ImageSpec {
  const text = flags.image ?? argument;
  const [, path = "", atSnapshot] = /^([^@]*)(?:@([^@]*))?$/.exec(text ?? "") ?? [];
  const parts = path.split("/");
  if (flags.imageId !== undefined) {
    if (text !== undefined) throw usage("trying to access image using both name and id.");
    const { pool = defaultPool(), namespace = "", imageId, snap } = flags;
    return { pool, namespace, image: imageId, snapshot: snap, byId: true };
  }
  if (text === undefined) throw usage("image name was not specified", imageForm);
  if (parts.length > 3 || atSnapshot === "" || parts.some((part) => part === "")) {
    throw invalidSpec(text, `${imageForm}[@SNAPSHOT]`);
  }
  return {
    pool: (parts.length > 1 ? parts[0] : flags.pool) ?? defaultPool(),
    namespace: (parts.length > 2 ? parts[1] : flags.namespace) ?? "",
    ...{ image: parts.at(-1)!, snapshot: atSnapshot ?? flags.snap },
  };
}

/** A spec without a snapshot, for commands that act on the whole image. */
export function wholeImageSpec(text: string | undefined, flags: SpecFlags): ImageSpec {
  const spec = imageSpec(text, flags);
  if (spec.snapshot === undefined) return spec;
  throw usage(
    "snapshot name specified for a command that doesn't use it",
    `it is done to the image: ${spec.image}, without @${spec.snapshot}`,
  );
}

/** A spec with a snapshot. */
export function snapshotSpec(text: string | undefined, flags: SpecFlags): ImageSpec & { snapshot: string } {
  const spec = imageSpec(text, flags);
  if (spec.snapshot === undefined) throw usage("snapshot name was not specified", `${imageForm}@SNAPSHOT`);
  return { ...spec, snapshot: spec.snapshot };
}

/** The snapshot's name, or its id if `--snap-id` is given; undefined for the image's current data. */
export function snapshotOf(
  { snapshot }: ImageSpec,
  { snapId }: { snapId?: string },
): string | number | undefined {
  if (snapId === undefined) return snapshot;
  const id = parseCount("--snap-id", snapId);
  if (snapshot !== undefined) throw usage("trying to access snapshot using both name and id.");
  return id;
}

/** `[pool[/namespace]]`. */
export function poolSpec(text: string | undefined, flags: SpecFlags): { pool: string; namespace: string } {
  const [pool, namespace, ...more] = text?.split("/") ?? [];
  if (more.length > 0) {
    throw usage(`invalid pool '${text!.slice(0, text!.lastIndexOf("/"))}'`, "it would be POOL[/NAMESPACE]");
  }
  return { pool: pool ?? flags.pool ?? defaultPool(), namespace: namespace ?? flags.namespace ?? "" };
}

/** Bytes, from `10G` or `512M`. A number without a unit counts in `plainUnit`. */
export function parseBytes(text: string, plainUnit: "B" | "M"): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([BKMGTPE]?)i?B?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(digits) * 1024 ** "BKMGTPE".indexOf((unit || plainUnit).toUpperCase()));
  if (!(bytes < 2 ** 64)) throw badOption(`${text} is no size: 10G, 512M, 4K`);
  return bytes;
}

/** A whole number that is not negative. */
export function parseCount(option: string, text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw badOption(`${option} takes a number, and not ${text}`);
}

/** An option with a value that it does not take. This is found before the cluster is contacted. */
export function badOption(message: string): SiphonError {
  return new SiphonError("SIPHON_BAD_OPTION", message);
}

export function usage(message: string, hint?: string): SiphonError {
  return new SiphonError("SIPHON_USAGE", message, hint === undefined ? {} : { hint });
}

/** @param form the form of a valid spec */
export function invalidSpec(text: string, form: string): SiphonError {
  return usage(`invalid spec '${text}'`, `it would be ${form}`);
}

const imageForm = "[POOL/[NAMESPACE/]]IMAGE";

/** The name of an image in a list that spans pools and includes the trash. */
export function listedImage({ pool, namespace, name, id, trash }: ListedImage): string {
  return `${pool}/${namespace && `${namespace}/`}${name}${trash ? ` (trash ${id})` : ""}`;
}

interface ListedImage {
  pool: string;
  namespace: string;
  name: string;
  id: string;
  trash: boolean;
}
