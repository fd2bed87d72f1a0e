import type { ImageFacts } from "../../model/disk.ts";
import type { InputFile } from "../input.ts";
import { readYaml } from "../yaml.ts";

export interface RbdInfo extends ImageFacts {
  image: string;
}

/** Reads the output of `rbd info`, in text or JSON; the text may describe several images. */
export function readRbdInfo(input: InputFile): RbdInfo[] {
  const { name: file, text } = input;
  if (/^\s*[{[]/.test(text))
    return readYaml(input)
      .flatMap((document) => (Array.isArray(document.value) ? document.list() : [document]))
      .map(({ value }) => fromJson(value, file));
  const images: RbdInfo[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const header = /^\s*rbd image '([^']+)'/.exec(line);
    if (header !== null) {
      images.push({ image: header[1]!, place: { file, line: index + 1 } });
      continue;
    }
    const image = images.at(-1);
    const match = /^\s*(order|features|flags|parent|snapshot_count|object size)[: ]\s*(.*?)\s*$/.exec(line);
    if (image === undefined || match === null) continue;
    const [, key, value] = match as unknown as [string, string, string];
    if (key === "order") image.objectSize = 2 ** Number(/^\d+/.exec(value)?.[0] ?? 22);
    else if (key === "features") image.features = value.split(/[\s,]+/).filter(Boolean);
    else if (key === "flags") image.objectMapInvalid = value.includes("object map invalid");
    else if (key === "parent" && value !== "") image.parent = value;
    else if (key === "snapshot_count") image.snapshots = Number(value) || 0;
  }
  return images;
}

function fromJson(value: unknown, file: string): RbdInfo {
  const info = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const parent = info.parent as Record<string, unknown> | undefined;
  return {
    image: String(info.name ?? ""),
    place: { file, line: 1 },
    ...(Array.isArray(info.features) && { features: info.features.map(String) }),
    ...(Array.isArray(info.flags) && { objectMapInvalid: info.flags.includes("object map invalid") }),
    ...(typeof info.order === "number" && { objectSize: 2 ** info.order }),
    ...(typeof info.object_size === "number" && { objectSize: info.object_size }),
    ...(typeof info.snapshot_count === "number" && { snapshots: info.snapshot_count }),
    ...(parent !== undefined &&
      parent !== null && { parent: `${parent.pool ?? ""}/${parent.image ?? ""}@${parent.snapshot ?? ""}` }),
  };
}
