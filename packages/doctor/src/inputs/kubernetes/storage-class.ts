import type { Disk, Source } from "../../model/disk.ts";
import type { Fact } from "../../model/place.ts";
import { monitorsOf } from "../monitors.ts";
import { readYaml, type YamlValue } from "../yaml.ts";
import { nameOf, ofKind } from "./objects.ts";

/** Whether a class provisions RBD images, with ceph-csi or Kubernetes' older in-tree driver. */
export function isRbdClass(object: YamlValue): boolean {
  const provisioner = object.text("provisioner");
  return isRbdDriver(provisioner) || /^(kubernetes\.io|ceph\.com)\/rbd$/.test(provisioner ?? "");
}

export function isRbdDriver(name: string | undefined): boolean {
  return /(^|\.)rbd\.csi\.ceph\.com$/.test(name ?? "");
}

/** A disk that stands for the images of a class, and how nodes map them. */
export function storageClassDisk(object: YamlValue, objects: readonly YamlValue[]): Disk {
  const parameter = (name: string) => object.text("parameters", name);
  const place = object.place("metadata", "name");
  const features = parameter("imageFeatures");
  const objectSize = Number(parameter("objectSize"));
  const disk: Disk = {
    name: `storageclass/${nameOf(object)}`,
    place,
    kind: "data",
    bus: { value: "none", place },
    source: classSource(object, objects),
  };
  const image: Disk["image"] = {
    place: object.place("parameters", features === undefined ? "objectSize" : "imageFeatures"),
    ...(features !== undefined &&
      features.trim() !== "" && { features: features.split(/[\s,]+/).filter(Boolean) }),
    ...(objectSize > 0 && { objectSize }),
  };
  if (image.features !== undefined || image.objectSize !== undefined) disk.image = image;
  return disk;
}

/** How the images of a class reach a node: through the kernel client, unless the mounter is rbd-nbd. */
export function classSource(object: YamlValue, objects: readonly YamlValue[]): Source {
  const user = userOf(object, objects);
  const monitors = monitorsFor(object, objects);
  return {
    ...mappedSource(object, "parameters"),
    ...(user !== undefined && { user }),
    ...(monitors !== undefined && { monitors }),
  };
}

/** The image of a persistent volume, which keeps the parameters of its class at creation. */
export function volumeSource(volume: YamlValue): Source {
  const image = volume.text("spec", "csi", "volumeAttributes", "imageName");
  return {
    ...mappedSource(volume, "spec", "csi", "volumeAttributes"),
    ...(image !== undefined && { image }),
  };
}

function mappedSource(object: YamlValue, ...path: string[]): Source {
  const nbd = object.text(...path, "mounter") === "rbd-nbd";
  const given = object.text(...path, "mapOptions") ?? "";
  const pool = object.text(...path, "pool");
  return {
    driver: nbd ? "rbd-nbd" : "krbd",
    place: object.place(...path, "mounter"),
    ...(pool !== undefined && { pool }),
    map: {
      value: { options: mapOptionsOf(given, nbd ? "nbd" : "krbd"), given: given.trim() !== "" },
      place: object.place(...path, "mapOptions"),
    },
  };
}

/**
 * Parses map options such as `krbd:a,b=c;nbd:d`: options without a mounter's name apply to krbd.
 *
 * @see https://github.com/ceph/ceph-csi/blob/devel/docs/rbd/deploy.md
 */
export function mapOptionsOf(text: string, mounter: "krbd" | "nbd"): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const part of text.split(";")) {
    const match = /^\s*(krbd|nbd):(.*)$/.exec(part);
    if ((match?.[1] ?? "krbd") !== mounter) continue;
    for (const option of (match?.[2] ?? part).split(",")) {
      const [name, ...value] = option.trim().split("=");
      if (name !== undefined && name !== "") options.set(name, value.join("="));
    }
  }
  return options;
}

/** The Ceph user in the secret that a class names, if the secret is shown. */
function userOf(object: YamlValue, objects: readonly YamlValue[]): Fact<string> | undefined {
  const legacy = object.text("parameters", "userId") ?? object.text("parameters", "adminId");
  if (legacy !== undefined) return { value: legacy, place: object.place("parameters", "userId") };
  const wanted = object.text("parameters", "csi.storage.k8s.io/node-stage-secret-name");
  const secret = ofKind(objects, "Secret").find((each) => wanted !== undefined && nameOf(each) === wanted);
  if (secret === undefined) return undefined;
  const plain = secret.text("stringData", "userID");
  if (plain !== undefined) return { value: plain, place: secret.place("stringData", "userID") };
  const value = decoded(secret.text("data", "userID"));
  return value === undefined ? undefined : { value, place: secret.place("data", "userID") };
}

/** Decodes base64, also in a browser; undefined for invalid input. */
function decoded(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined;
  try {
    return atob(base64.trim()).trim();
  } catch {
    return undefined;
  }
}

/** The monitors of a class's cluster, in its own parameters or in ceph-csi's list of clusters. */
function monitorsFor(object: YamlValue, objects: readonly YamlValue[]): Fact<readonly string[]> | undefined {
  const own = object.text("parameters", "monitors");
  if (own !== undefined) return { value: monitorsOf(own), place: object.place("parameters", "monitors") };
  const cluster = object.text("parameters", "clusterID");
  for (const map of ofKind(objects, "ConfigMap")) {
    const text = map.text("data", "config.json") ?? map.text("data", "csi-cluster-config-json");
    if (text === undefined) continue;
    for (const entry of clustersOf(text)) {
      if (entry.text("clusterID") !== cluster) continue;
      const monitors = entry
        .list("monitors")
        .flatMap(({ value }) => (typeof value === "string" ? monitorsOf(value) : []));
      if (monitors.length > 0) return { value: [...new Set(monitors)], place: map.place("data") };
    }
  }
  return undefined;
}

function clustersOf(text: string): YamlValue[] {
  try {
    return readYaml({ name: "config.json", text }).flatMap((document) => document.list());
  } catch {
    return [];
  }
}
