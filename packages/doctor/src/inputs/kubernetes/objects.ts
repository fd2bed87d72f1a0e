import type { InputFile } from "../input.ts";
import { readYaml, type YamlValue } from "../yaml.ts";

/** The objects in manifests, including those inside Lists. */
export function readObjects(files: readonly InputFile[]): YamlValue[] {
  return files.flatMap((file) => readYaml(file)).flatMap(flatten);
}

function flatten(document: YamlValue): YamlValue[] {
  const kind = document.text("kind") ?? "";
  if (Array.isArray(document.value)) return document.list().flatMap(flatten);
  return kind.endsWith("List") && Array.isArray(document.get("items"))
    ? document.list("items").flatMap(flatten)
    : [document];
}

export function ofKind(objects: readonly YamlValue[], ...kinds: string[]): YamlValue[] {
  return objects.filter((object) => kinds.includes(object.text("kind") ?? ""));
}

export function nameOf(object: YamlValue): string {
  return object.text("metadata", "name") ?? "";
}

/** Parses a CPU quantity: `4`, `500m`, `1.5`. */
export function cpusOf(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(text?.trim() ?? "");
  return match === null ? undefined : Number(match[1]) / (match[2] === "m" ? 1000 : 1);
}

const powers: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Parses a memory quantity into bytes: `8Gi`, `8G`, `8589934592`. */
export function bytesOf(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kKMGT]i?)?$/.exec(text?.trim() ?? "");
  return match === null ? undefined : Number(match[1]) * powers[match[2] ?? ""]!;
}
