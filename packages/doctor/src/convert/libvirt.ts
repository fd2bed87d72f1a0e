import { DoctorError } from "../errors.ts";
import { vmsOf } from "../inputs/case.ts";
import type { InputFile } from "../inputs/input.ts";
import { type Element, readXml } from "../inputs/xml.ts";
import { apply, type Edit, insertAfter, insertInside, removal } from "../inputs/xml-edits.ts";
import type { Disk } from "../model/disk.ts";
import { limitsOfTune } from "./iotune.ts";
import { attachElement, diskElements, domainOf, siphonNamespace } from "./siphon-metadata.ts";

export interface ConvertOptions {
  /** Targets such as `vda` (default: every disk that can be converted). */
  disks?: readonly string[];
  transport: "vhost" | "nbd";
  /** Names the disk that serves an image. */
  serve(image: ServedImage): SiphonSide;
}

export interface ServedImage {
  /** `POOL/IMAGE` or `POOL/IMAGE@SNAP`. */
  readonly image: string;
  readonly transport: "vhost" | "nbd";
  readonly queues: number | undefined;
  readonly readOnly: boolean;
}

/** How siphon serves a disk. */
export interface SiphonSide {
  /** The disk's name in the service. */
  readonly name: string;
  readonly socket: string;
  /** The libvirt element for the disk. */
  readonly xml: string;
}

/** The domain after the conversion. */
export interface ConvertedDomain {
  text: string;
  /** Notes for the reader, in sentences. */
  words: string[];
}

/**
 * Turns a domain's disks on librbd into disks that siphon serves, and keeps the original disks in the domain's metadata.
 *
 * @throws DoctorError SIPHON_USAGE if there is no such disk, SIPHON_NO_FIX if it cannot be converted
 */
export function toSiphon(file: InputFile, options: ConvertOptions): ConvertedDomain {
  const domain = domainIn(file);
  const [vm] = vmsOf([{ ...file, format: "libvirt" }]);
  const chosen = (vm?.disks ?? []).filter(
    ({ name, kind, source }) =>
      source.driver === "librbd" && kind !== "cdrom" && kind !== "efivars" && isChosen(name, options.disks),
  );
  if (chosen.length === 0) throw noDisk(file, options.disks, "is on librbd");
  const words: string[] = [];
  const edits: Edit[] = [];
  const entries: string[] = [];
  for (const disk of chosen) {
    const element = elementOf(domain, disk.name);
    const { entry, text } = convertedDisk(file.text, element, disk, options, words);
    edits.push({ start: element.node.start, end: element.node.end, text });
    entries.push(entry);
  }
  const added = options.transport === "vhost" ? shareMemory(file.text, domain, edits) : false;
  edits.push(...addEntries(file.text, domain, entries, added));
  return { text: apply(file.text, edits), words: [...new Set(words)] };
}

/**
 * Restores the disks as they were before `toSiphon`.
 *
 * @throws DoctorError SIPHON_USAGE if siphon serves no such disk
 */
export function toRbd(file: InputFile, { disks }: Pick<ConvertOptions, "disks">): ConvertedDomain {
  const domain = domainIn(file);
  const all = diskElements(domain);
  const chosen = all.filter((each) => isChosen(each.attribute("target") ?? "", disks));
  if (chosen.length === 0) throw noDisk(file, disks, "is siphon's, with what it was in the metadata");
  const edits: Edit[] = [];
  for (const entry of chosen) {
    const was = entry.find("disk");
    const target = entry.attribute("target") ?? "";
    if (was === undefined) {
      throw new DoctorError("SIPHON_NO_FIX", `the metadata has no original of ${target}`);
    }
    const { start, end } = elementOf(domain, target).node;
    edits.push({ start, end, text: file.text.slice(was.node.start, was.node.end) });
  }
  const attach = attachElement(domain)!;
  if (chosen.length < all.length) {
    edits.push(...chosen.map((entry) => removal(file.text, entry)));
    return { text: apply(file.text, edits), words: [] };
  }
  const metadata = domain.find("metadata")!;
  const isAlone = metadata.node.text.trim() === attach.node.text.trim() && elementsIn(metadata) === 1;
  edits.push(removal(file.text, isAlone ? metadata : attach));
  const backing = domain.find("memoryBacking");
  const isOurs = attach.attribute("memory-backing") === "added";
  if (isOurs && backing !== undefined && elementsIn(backing) === 2) edits.push(removal(file.text, backing));
  return { text: apply(file.text, edits), words: [] };
}

function domainIn(file: InputFile): Element {
  const domain = domainOf(readXml(file));
  if (domain !== undefined) return domain;
  throw new DoctorError("SIPHON_BAD_INPUT", `${file.name} is not a libvirt domain`);
}

function convertedDisk(
  text: string,
  element: Element,
  { name: target, source, bus }: Disk,
  { transport, serve }: ConvertOptions,
  words: string[],
): { entry: string; text: string } {
  if (element.find("source", "encryption") ?? element.find("encryption")) {
    throw new DoctorError("SIPHON_NO_FIX", `${target} is encrypted, and its passphrase is a libvirt secret`, {
      hint: "write its passphrase to a file, and a file for the disk to /etc/siphon/disks.d",
    });
  }
  if (transport === "vhost" && bus.value !== "virtio-blk") {
    throw new DoctorError(
      "SIPHON_NO_FIX",
      `${target} is not a virtio disk, and vhost-user-blk would make it one`,
      {
        hint: "convert it with --nbd, which keeps its bus",
      },
    );
  }
  if (element.find("source")?.attribute("protocol") !== "rbd") {
    throw new DoctorError("SIPHON_NO_FIX", `${target} is a volume of a libvirt storage pool`, {
      hint: "first write its source with protocol='rbd' and the names of the Ceph pool and the image",
    });
  }
  const snapshot = element.find("source", "snapshot")?.attribute("name");
  const { pool = "", namespace = "", image = "" } = source;
  const path = [pool, namespace, image].filter((step) => step !== "").join("/");
  const spec = snapshot === undefined ? path : `${path}@${snapshot}`;
  const isReadOnly = element.find("readonly") !== undefined || snapshot !== undefined;
  const { name, socket, xml } = serve({
    ...{ image: spec, transport, readOnly: isReadOnly },
    queues: queuesOf(element),
  });
  if (source.user !== undefined) {
    const { value: user } = source.user;
    words.push(
      `${target} used client.${user}: run the service as a Ceph user that may use ${pool} (siphon attachd --id ${user})`,
    );
  }
  if (transport === "vhost" && element.find("serial") !== undefined) {
    words.push(
      `${target} will have the image's id as its serial number: check paths in /dev/disk/by-id in the guest`,
    );
  }
  const tune = element.find("iotune");
  const limit = tune === undefined || transport === "nbd" ? undefined : limitsOfTune(tune);
  const attributes = Object.entries({
    ...{ name, target, image: spec, [transport]: socket },
    ...(isReadOnly && { "read-only": "yes" }),
    ...(limit && { limit }),
  }).map(([key, value]) => `${key}='${quoted(value)}'`);
  const was = text.slice(element.node.start, element.node.end);
  return {
    entry: `    <siphon:disk ${attributes.join(" ")}>\n      ${was}\n    </siphon:disk>`,
    text: transport === "vhost" ? vhostDisk(text, element, xml) : nbdDisk(text, element, xml),
  };
}

/** A vhost-user disk with those elements of the original that libvirt accepts for one. */
function vhostDisk(text: string, element: Element, xml: string): string {
  const disk = readXml({ name: "", text: xml });
  const kept = ["boot", "alias", "address"].flatMap((each) => element.all(each));
  const target = element.find("target");
  const edits = [
    ...disk.all("target").map(({ node }) => ({
      ...{ start: node.start, end: node.end },
      text: [target, ...kept]
        .map((each) => (each ? text.slice(each.node.start, each.node.end) : ""))
        .join("\n  "),
    })),
  ];
  return indented(apply(xml, edits), element, text);
}

/** The disk with a new source and everything else as it was. */
function nbdDisk(text: string, element: Element, xml: string): string {
  const source = readXml({ name: "", text: xml }).find("source")!.node;
  const { start, end } = element.node;
  const edits = ["source", "auth"]
    .flatMap((each) => element.all(each))
    .map((each) =>
      each.name === "source"
        ? { ...spanOf(each, start), text: xml.slice(source.start, source.end) }
        : {
            ...removal(text, each),
            start: removal(text, each).start - start,
            end: removal(text, each).end - start,
          },
    );
  return apply(text.slice(start, end), edits);
}

function spanOf({ node }: Element, from = 0): { start: number; end: number } {
  return { start: node.start - from, end: node.end - from };
}

function queuesOf(element: Element): number | undefined {
  const queues = Number(element.find("driver")?.attribute("queues"));
  return Number.isInteger(queues) && queues > 0 ? queues : undefined;
}

/** Makes the domain's memory shared, as vhost-user requires. Returns whether it added `<memoryBacking>` itself. */
function shareMemory(text: string, domain: Element, edits: Edit[]): boolean {
  const backing = domain.find("memoryBacking");
  const source = "<source type='memfd'/>";
  const access = "<access mode='shared'/>";
  if (backing === undefined) {
    const after = domain.find("currentMemory") ?? domain.find("memory");
    if (after === undefined) throw new DoctorError("SIPHON_BAD_INPUT", "the domain has no memory");
    edits.push(insertAfter(after, text, `<memoryBacking>${source}${access}</memoryBacking>`));
    return true;
  }
  const hasSource = backing.find("source") !== undefined;
  const current = backing.find("access");
  if (elementsIn(backing) === 0) {
    edits.push({ ...spanOf(backing), text: `<memoryBacking>${source}${access}</memoryBacking>` });
    return true;
  }
  if (current?.attribute("mode") !== "shared") {
    if (current === undefined) edits.push(insertInside(backing, text, access));
    else edits.push({ start: current.node.start, end: current.node.end, text: access });
  }
  if (!hasSource) edits.push(insertInside(backing, text, source));
  return false;
}

function addEntries(text: string, domain: Element, entries: readonly string[], added: boolean): Edit[] {
  const known = attachElement(domain);
  const lines = entries.join("\n");
  if (known !== undefined) return [insertInside(known, text, lines.trimStart())];
  const mark = added ? " memory-backing='added'" : "";
  const attach = `<siphon:attach xmlns:siphon='${siphonNamespace}'${mark}>\n${lines}\n    </siphon:attach>`;
  const whole = `<metadata>\n    ${attach}\n  </metadata>`;
  const metadata = domain.find("metadata");
  if (metadata !== undefined && elementsIn(metadata) > 0) return [insertInside(metadata, text, attach)];
  if (metadata !== undefined) return [{ ...spanOf(metadata), text: whole }];
  const after = domain.find("uuid") ?? domain.find("name");
  if (after === undefined) throw new DoctorError("SIPHON_BAD_INPUT", "the domain has no name");
  return [insertAfter(after, text, whole)];
}

function elementsIn({ node }: Element): number {
  return node.children.filter(({ type }) => type === "element").length;
}

function elementOf(domain: Element, target: string): Element {
  const found = domain
    .find("devices")
    ?.all("disk")
    .find((disk) => disk.find("target")?.attribute("dev") === target);
  if (found !== undefined) return found;
  throw new DoctorError("SIPHON_USAGE", `the domain has no disk ${target}`);
}

function isChosen(name: string, chosen: readonly string[] | undefined): boolean {
  return chosen === undefined || chosen.includes(name);
}

function noDisk({ name }: InputFile, disks: readonly string[] | undefined, is: string): DoctorError {
  const which = disks === undefined ? "no disk" : `none of ${disks.join(", ")}`;
  return new DoctorError("SIPHON_USAGE", `${which} of ${name} ${is}`);
}

function indented(xml: string, { node }: Element, text: string): string {
  const indent = /[ \t]*$/.exec(text.slice(0, node.start))![0];
  return xml.replaceAll("\n", `\n${indent}`);
}

function quoted(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;");
}
