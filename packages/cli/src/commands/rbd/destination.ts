import type { Command } from "commander";
import { type ImageSpec, imageSpec, type SpecFlags } from "./image-spec.ts";

/** The image to be made, by options: `--pool` and `--namespace` are then the source's. */
export interface DestinationFlags {
  dest?: string;
  destPool?: string;
  destNamespace?: string;
}

export function withDestinationFlags(command: Command): Command {
  return command
    .option("--dest <image>", "destination, instead of the argument")
    .option("--dest-pool <pool>", "pool of the destination (default: rbd)")
    .option("--dest-namespace <namespace>", "namespace of the destination");
}

export function destinationSpec(
  text: string | undefined,
  { dest, destPool, destNamespace }: DestinationFlags,
): ImageSpec {
  return imageSpec(text, {
    ...(dest !== undefined && { image: dest }),
    ...(destPool !== undefined && { pool: destPool }),
    ...(destNamespace !== undefined && { namespace: destNamespace }),
  });
}

/** The arguments, of which the source is missing where an option names it. */
export function sourceAndDestination(
  first: string | undefined,
  second: string | undefined,
  { image }: SpecFlags,
): [source: string | undefined, destination: string | undefined] {
  return image === undefined ? [first, second] : [undefined, first];
}
