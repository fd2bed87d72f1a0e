import type { Source } from "../../model/disk.ts";
import { readYaml, type YamlValue } from "../yaml.ts";
import { nameOf, ofKind } from "./objects.ts";
import { classSource, isRbdClass, isRbdDriver, volumeSource } from "./storage-class.ts";

/** Where a VM's volume has its data, from the persistent volume behind its claim, otherwise from the claim's class. */
export function sourceOf(
  volume: YamlValue | undefined,
  object: YamlValue,
  objects: readonly YamlValue[],
): Source {
  const place = volume?.place() ?? object.place();
  const claim =
    volume?.text("persistentVolumeClaim", "claimName") ??
    volume?.text("ephemeral", "persistentVolumeClaim", "claimName");
  const dataVolume = volume?.text("dataVolume", "name");
  const wanted = claim ?? dataVolume;
  if (wanted === undefined) return { driver: "other", place };
  const pvc = ofKind(objects, "PersistentVolumeClaim").find((each) => nameOf(each) === wanted);
  const bound = boundVolume(wanted, pvc, objects);
  if (bound !== undefined) {
    const isRbd = isRbdDriver(bound.text("spec", "csi", "driver"));
    return isRbd ? { ...volumeSource(bound), place } : { driver: "other", place };
  }
  const classes = ofKind(objects, "StorageClass");
  const name = className(claim, dataVolume, object, pvc, objects);
  const isDefault = (each: YamlValue) =>
    each.text("metadata", "annotations", "storageclass.kubernetes.io/is-default-class") === "true" ||
    each.text("metadata", "annotations", "storageclass.kubevirt.io/is-default-virt-class") === "true";
  const found =
    name === undefined
      ? (classes.find(isDefault) ?? (classes.length === 1 ? classes[0] : undefined))
      : classes.find((each) => nameOf(each) === name);
  if (found !== undefined) {
    if (!isRbdClass(found)) return { driver: "other", place };
    return { ...classSource(found, objects), place };
  }
  return looksLikeRbd(name ?? "")
    ? { driver: "krbd", place }
    : { driver: "other", place, hiddenClaim: wanted };
}

function boundVolume(
  claim: string,
  pvc: YamlValue | undefined,
  objects: readonly YamlValue[],
): YamlValue | undefined {
  const name = pvc?.text("spec", "volumeName");
  return ofKind(objects, "PersistentVolume").find((each) =>
    name === undefined ? each.text("spec", "claimRef", "name") === claim : nameOf(each) === name,
  );
}

function className(
  claim: string | undefined,
  dataVolume: string | undefined,
  object: YamlValue,
  pvc: YamlValue | undefined,
  objects: readonly YamlValue[],
): string | undefined {
  const templates = [
    ...object.list("spec", "dataVolumeTemplates"),
    ...object.list("spec", "virtualMachineTemplate", "spec", "dataVolumeTemplates"),
    ...ofKind(objects, "DataVolume"),
  ];
  // Harvester lists the claims that it creates in an annotation.
  const claims = harvesterClaims(object);
  // A DataVolume creates a claim with its own name.
  const template = templates.find((each) => nameOf(each) === (dataVolume ?? claim));
  return (
    pvc?.text("spec", "storageClassName") ??
    template?.text("spec", "storage", "storageClassName") ??
    template?.text("spec", "pvc", "storageClassName") ??
    claims
      .find((each) => each.text("metadata", "name") === (claim ?? dataVolume))
      ?.text("spec", "storageClassName")
  );
}

function harvesterClaims(object: YamlValue): YamlValue[] {
  const text = object.text("metadata", "annotations", "harvesterhci.io/volumeClaimTemplates");
  if (text === undefined) return [];
  try {
    return readYaml({ name: "volumeClaimTemplates", text }).flatMap((document) => document.list());
  } catch {
    return [];
  }
}

/** Matches the names of RBD classes in Rook, OpenShift Data Foundation and Harvester's guides. */
function looksLikeRbd(name: string): boolean {
  return /ceph-?rbd|rook-ceph-block|^rbd$|-rbd(-|$)|^ceph-block$/.test(name);
}
