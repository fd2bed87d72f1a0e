import { type Document, isCollection, isMap, isSeq, parseAllDocuments } from "yaml";
import type { InputFile } from "../inputs/input.ts";
import type { FixTarget } from "./fix-target.ts";

type Path = (string | number)[];

/** Manifests with one finding mended; comments stay. */
export function fixKubernetes({ text }: InputFile, target: FixTarget): string | undefined {
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent" });
  if (!Array.isArray(documents)) return undefined;
  let changed = false;
  for (const document of documents) {
    const kind = document.get("kind");
    if (kind === "CephBlockPool") changed = fixPool(document, target) || changed;
    else if (kind === "CephCluster") changed = fixCluster(document, target) || changed;
    else if (kind === "StorageClass") changed = fixClass(document, target) || changed;
    else changed = fixVm(document, target) || changed;
  }
  return changed ? documents.map((document) => document.toString({ lineWidth: 0 })).join("") : undefined;
}

function fixPool(document: Document, { id }: FixTarget): boolean {
  if (id === "replica-one" && Number(document.getIn(["spec", "replicated", "size"])) === 1)
    return set(document, ["spec", "replicated", "size"], 3);
  if (
    id === "pool-one-pg" &&
    document.hasIn(["spec", "replicated"]) &&
    !document.hasIn(["spec", "replicated", "targetSizeRatio"])
  )
    return set(document, ["spec", "replicated", "targetSizeRatio"], 0.1);
  return false;
}

function fixCluster(document: Document, { id }: FixTarget): boolean {
  return id === "mon-single" ? set(document, ["spec", "mon", "count"], 3) : false;
}

function fixClass(document: Document, { id, disks }: FixTarget): boolean {
  if (!disks.includes(`storageclass/${document.getIn(["metadata", "name"])}`)) return false;
  const path = ["parameters", "mapOptions"];
  const given = String(document.getIn(path) ?? "");
  const add = (option: string) =>
    set(
      document,
      path,
      given === ""
        ? `krbd:${option}`
        : given.includes("krbd:")
          ? given.replace(/krbd:([^;]*)/, `krbd:$1,${option}`)
          : `${given},${option}`,
    );
  if (id === "rxbounce-missing") return add("rxbounce");
  if (id === "krbd-queue-depth" && !given.includes("queue_depth")) return add("queue_depth=256");
  if (id === "krbd-queue-depth")
    return set(document, path, given.replace(/queue_depth=\d+/, "queue_depth=256"));
  if (id === "features-minimal")
    return set(
      document,
      ["parameters", "imageFeatures"],
      "layering,exclusive-lock,object-map,fast-diff,deep-flatten",
    );
  if (id === "object-size-odd") return drop(document, ["parameters", "objectSize"]);
  return id === "rbd-nbd" ? drop(document, ["parameters", "mounter"]) : false;
}

function fixVm(document: Document, { id, disks, vm }: FixTarget): boolean {
  const spec = ([["spec", "template", "spec"], ["spec"]] as Path[]).find((path) =>
    document.hasIn([...path, "domain"]),
  );
  if (spec === undefined || document.getIn(["metadata", "name"]) !== vm.name) return false;
  const domain = [...spec, "domain"];
  let changed = false;
  const list = document.getIn([...domain, "devices", "disks"], true);
  const entries: Path[] = isSeq(list)
    ? list.items.flatMap((item, index) =>
        isMap(item) && disks.includes(String(item.get("name")))
          ? [[...domain, "devices", "disks", index]]
          : [],
      )
    : [];
  for (const entry of entries) {
    if (id === "bus-sata" || id === "bus-ide")
      changed = set(document, [...entry, "disk", "bus"], "virtio") || changed;
    if (id === "aio-threads") changed = set(document, [...entry, "io"], "native") || changed;
    if (id === "cache-writeback-depends") changed = set(document, [...entry, "cache"], "none") || changed;
    if (id === "iothread-missing" || (id === "iothread-without-effect" && entry === entries[0]))
      changed = set(document, [...entry, "dedicatedIOThread"], true) || changed;
    if (id === "option-misplaced") changed = moveOptions(document, entry, domain) || changed;
  }
  if (id === "iothread-missing" && entries.length > 0)
    changed = set(document, [...domain, "ioThreadsPolicy"], "auto") || changed;
  if (id === "cpu-limit") changed = drop(document, [...domain, "resources", "limits", "cpu"]) || changed;
  if (id === "cpu-generic") changed = drop(document, [...domain, "cpu", "model"]) || changed;
  return changed;
}

/** Options below disk: to where KubeVirt reads them. */
function moveOptions(document: Document, entry: Path, domain: Path): boolean {
  let changed = false;
  for (const option of ["blockMultiQueue", "cache", "io", "dedicatedIOThread"]) {
    const from = [...entry, "disk", option];
    const value = document.getIn(from);
    if (value === undefined) continue;
    document.deleteIn(from);
    changed =
      set(
        document,
        option === "blockMultiQueue" ? [...domain, "devices", option] : [...entry, option],
        value,
      ) || changed;
  }
  return changed;
}

/** An instance of Incus with one finding mended. */
export function fixIncus({ text }: InputFile, { id, disks }: FixTarget): string | undefined {
  if (id !== "cache-librbd-on" && id !== "cache-unsafe") return undefined;
  const [document] = parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent" }) as Document[];
  if (document === undefined) return undefined;
  for (const disk of disks) set(document, ["devices", disk, "io.cache"], "none");
  return document.toString({ lineWidth: 0 });
}

function set(document: Document, path: Path, value: unknown): boolean {
  if (document.getIn(path) === value) return false;
  for (let length = 1; length < path.length; length++) {
    const above = document.getIn(path.slice(0, length), true);
    if (above === undefined || isCollection(above)) continue;
    // An empty key holds null, in whose place a mapping fits; another scalar is not ours to replace.
    if (document.getIn(path.slice(0, length)) !== null) return false;
    document.deleteIn(path.slice(0, length));
  }
  document.setIn(path, value);
  return true;
}

function drop(document: Document, path: Path): boolean {
  if (!document.hasIn(path) || !isCollection(document.getIn(path.slice(0, -1), true))) return false;
  document.deleteIn(path);
  return true;
}
