import type { InputFile } from "../inputs/input.ts";
import type { FixTarget } from "./fix-target.ts";
import { type Path, YamlText } from "./yaml-edits.ts";

/** A Kubernetes object: a document, or an item of a List. */
class Manifest {
  readonly #file: YamlText;
  readonly #document: number;
  readonly #at: Path;

  constructor(file: YamlText, document: number, at: Path) {
    this.#file = file;
    this.#document = document;
    this.#at = at;
  }

  get(...path: Path): unknown {
    return this.#file.get(this.#document, [...this.#at, ...path]);
  }

  has(...path: Path): boolean {
    return this.#file.has(this.#document, [...this.#at, ...path]);
  }

  count(...path: Path): number {
    return this.#file.count(this.#document, [...this.#at, ...path]);
  }

  set(path: Path, value: string | number | boolean): boolean {
    return this.#file.set(this.#document, [...this.#at, ...path], value);
  }

  drop(path: Path): boolean {
    return this.#file.drop(this.#document, [...this.#at, ...path]);
  }
}

/** Manifests with one finding fixed. */
export function fixKubernetes({ text }: InputFile, target: FixTarget): string | undefined {
  const file = new YamlText(text);
  for (const manifest of manifestsOf(file)) {
    const kind = manifest.get("kind");
    if (kind === "CephBlockPool") fixPool(manifest, target);
    else if (kind === "CephCluster") fixCluster(manifest, target);
    else if (kind === "StorageClass") fixClass(manifest, target);
    else fixVm(manifest, target);
  }
  return file.text === text ? undefined : file.text;
}

function manifestsOf(file: YamlText): Manifest[] {
  return Array.from({ length: file.length }, (_, document) => {
    const items = String(file.get(document, ["kind"]) ?? "").endsWith("List")
      ? file.count(document, ["items"])
      : 0;
    return items === 0
      ? [new Manifest(file, document, [])]
      : Array.from({ length: items }, (_item, index) => new Manifest(file, document, ["items", index]));
  }).flat();
}

function fixPool(pool: Manifest, { id }: FixTarget): void {
  if (id === "replica-one" && Number(pool.get("spec", "replicated", "size")) === 1)
    pool.set(["spec", "replicated", "size"], 3);
  if (
    id === "pool-one-pg" &&
    pool.has("spec", "replicated") &&
    !pool.has("spec", "replicated", "targetSizeRatio")
  )
    pool.set(["spec", "replicated", "targetSizeRatio"], 0.1);
}

function fixCluster(cluster: Manifest, { id }: FixTarget): void {
  if (id === "mon-single") cluster.set(["spec", "mon", "count"], 3);
}

function fixClass(manifest: Manifest, { id, disks }: FixTarget): void {
  if (!disks.includes(`storageclass/${manifest.get("metadata", "name")}`)) return;
  const path = ["parameters", "mapOptions"];
  const given = String(manifest.get(...path) ?? "");
  const add = (option: string) => manifest.set(path, withOption(given, option));
  if (id === "rxbounce-missing") add("rxbounce");
  if (id === "krbd-queue-depth" && !given.includes("queue_depth")) add("queue_depth=256");
  else if (id === "krbd-queue-depth") manifest.set(path, given.replace(/queue_depth=\d+/, "queue_depth=256"));
  if (id === "features-minimal")
    manifest.set(
      ["parameters", "imageFeatures"],
      "layering,exclusive-lock,object-map,fast-diff,deep-flatten",
    );
  const features = String(manifest.get("parameters", "imageFeatures") ?? "");
  if (id === "journaling")
    manifest.set(
      ["parameters", "imageFeatures"],
      features
        .split(/[\s,]+/)
        .filter((feature) => feature !== "journaling")
        .join(","),
    );
  if (id === "object-size-odd") manifest.drop(["parameters", "objectSize"]);
  if (id === "rbd-nbd") manifest.drop(["parameters", "mounter"]);
}

function withOption(given: string, option: string): string {
  if (given === "") return `krbd:${option}`;
  return given.includes("krbd:") ? given.replace(/krbd:([^;]*)/, `krbd:$1,${option}`) : `${given},${option}`;
}

function fixVm(manifest: Manifest, { id, disks, vm }: FixTarget): void {
  const spec = [
    ["spec", "template", "spec"],
    ["spec", "virtualMachineTemplate", "spec", "template", "spec"],
    ["spec"],
  ].find((path) => manifest.has(...path, "domain"));
  if (spec === undefined || manifest.get("metadata", "name") !== vm.name) return;
  const domain = [...spec, "domain"];
  const list = [...domain, "devices", "disks"];
  const entries = Array.from({ length: manifest.count(...list) }, (_, index) => [...list, index]).filter(
    (entry) => disks.includes(String(manifest.get(...entry, "name"))),
  );
  for (const entry of entries) {
    if (id === "bus-sata" || id === "bus-ide") manifest.set([...entry, "disk", "bus"], "virtio");
    if (id === "aio-threads") manifest.set([...entry, "io"], "native");
    if (id === "cache-writeback-depends") manifest.set([...entry, "cache"], "none");
    if (id === "iothread-missing" || (id === "iothread-without-effect" && entry === entries[0]))
      manifest.set([...entry, "dedicatedIOThread"], true);
    if (id === "option-misplaced") moveOptions(manifest, entry, domain);
  }
  if (id === "iothread-missing" && entries.length > 0) manifest.set([...domain, "ioThreadsPolicy"], "auto");
  if (id === "cpu-limit") manifest.drop([...domain, "resources", "limits", "cpu"]);
  if (id === "cpu-generic") manifest.drop([...domain, "cpu", "model"]);
}

/** Moves options from `disk` to where KubeVirt reads them. */
function moveOptions(manifest: Manifest, entry: Path, domain: Path): void {
  for (const option of ["blockMultiQueue", "cache", "io", "dedicatedIOThread"]) {
    const from = [...entry, "disk", option];
    const value = manifest.get(...from);
    if (value === undefined) continue;
    manifest.drop(from);
    manifest.set(
      option === "blockMultiQueue" ? [...domain, "devices", option] : [...entry, option],
      value as string | boolean,
    );
  }
}

/** An Incus instance with one finding fixed. */
export function fixIncus({ text }: InputFile, { id, disks, vm }: FixTarget): string | undefined {
  if (!["cache-librbd-on", "cache-unsafe", "throttled"].includes(id)) return undefined;
  const file = new YamlText(text);
  for (let document = 0; document < file.length; document++) {
    if ((file.get(document, ["name"]) ?? vm.name) !== vm.name) continue;
    // A device that comes from a profile must be overridden as a whole, which a patch of this file cannot do.
    for (const disk of disks) {
      if (!file.has(document, ["devices", disk])) continue;
      if (id !== "throttled") file.set(document, ["devices", disk, "io.cache"], "none");
      else
        for (const limit of ["limits.read", "limits.write", "limits.max"])
          file.drop(document, ["devices", disk, limit]);
    }
  }
  return file.text === text ? undefined : file.text;
}
