import { AttachError } from "../errors.ts";

/** An image as Ceph writes it. */
export interface ImageSpec {
  readonly pool: string;
  readonly namespace: string;
  readonly image: string;
  readonly snapshot: string | undefined;
}

/**
 * `POOL/[NAMESPACE/]IMAGE[@SNAP]`.
 *
 * @throws AttachError SIPHON_USAGE for anything else
 */
export function parseImageSpec(text: string): ImageSpec {
  const parts =
    /^(?<pool>[^/@]+)\/(?:(?<namespace>[^/@]+)\/)?(?<image>[^/@]+)(?:@(?<snapshot>[^/@]+))?$/.exec(text);
  if (parts === null) {
    throw new AttachError("SIPHON_USAGE", `invalid image name ${text}`, {
      hint: "write POOL/IMAGE or POOL/IMAGE@SNAPSHOT",
    });
  }
  const { pool, namespace = "", image, snapshot } = parts.groups as Record<string, string>;
  return { pool: pool!, namespace, image: image!, snapshot };
}

export function formatImageSpec({ pool, namespace, image, snapshot }: ImageSpec): string {
  const path = [pool, ...(namespace === "" ? [] : [namespace]), image].join("/");
  return snapshot === undefined ? path : `${path}@${snapshot}`;
}
