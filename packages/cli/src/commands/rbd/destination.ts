import { SiphonError } from "@siphon/wire";
import type { Command } from "commander";
import { type ImageSpec, imageSpec, type SpecFlags, usage, wholeImageSpec } from "./image-spec.ts";

/** Options that name the image to be made. `--pool` and `--namespace` then apply to the source. */
export interface DestinationFlags {
  dest?: string;
  destPool?: string;
  destNamespace?: string;
  destSnap?: string;
}

export function withDestinationFlags(command: Command): Command {
  return command
    .option("--dest <image>", "destination, or all of its spec, instead of the argument")
    .option("--dest-pool <pool>", "pool of the destination (default: rbd)")
    .option("--dest-namespace <namespace>", "namespace of the destination");
}

export function destinationSpec(text: string | undefined, flags: DestinationFlags): ImageSpec {
  return asDestination(() => wholeImageSpec(text, asSpecFlags(flags)));
}

/** Rewords an error in a spec as an error in the destination. */
function asDestination<T>(spec: () => T): T {
  try {
    return spec();
  } catch (error) {
    if (!(error instanceof SiphonError) || !/^(image|snapshot) name/.test(error.message)) throw error;
    throw usage(`destination ${error.message}`, error.hint);
  }
}

/** The new name of an image that is renamed in place: in the source's pool and namespace unless others are given. */
export function newNameSpec(
  text: string | undefined,
  flags: DestinationFlags,
  { pool, namespace }: ImageSpec,
): ImageSpec {
  const isWithin = (flags.dest ?? text)?.includes("/") !== true && flags.destPool === undefined;
  return asDestination(() =>
    imageSpec(text, { ...(isWithin && { pool, namespace }), ...asSpecFlags(flags) }),
  );
}

function asSpecFlags({ dest, destPool, destNamespace, destSnap }: DestinationFlags): SpecFlags {
  return {
    ...(dest !== undefined && { image: dest }),
    ...(destPool !== undefined && { pool: destPool }),
    ...(destNamespace !== undefined && { namespace: destNamespace }),
    ...(destSnap !== undefined && { snap: destSnap }),
  };
}

/** Sorts out the arguments: if an option names the source, the first argument is the destination. */
export function sourceAndDestination(
  first: string | undefined,
  second: string | undefined,
  { image }: SpecFlags,
): [source: string | undefined, destination: string | undefined] {
  return image === undefined ? [first, second] : [undefined, first];
}
