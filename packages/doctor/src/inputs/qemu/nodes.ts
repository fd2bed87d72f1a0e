import type { Place } from "../../model/place.ts";
import { flagOf, get, isTree, listOf, parseObject, type Tree, textOf, treeOf } from "./key-values.ts";
import { parseRbdName } from "./rbd-name.ts";

/** A node of QEMU's block graph. */
export interface Node {
  driver: string;
  tree: Tree;
  /** Defined inside its parent, whose cache options it inherits. */
  inline: boolean;
  place: Place;
}

const filters = new Set([
  "throttle",
  "copy-on-read",
  "preallocate",
  "compress",
  "blkdebug",
  "blklogwrites",
  "blkverify",
]);
const formats = new Set([
  "raw",
  "qcow2",
  "qcow",
  "qed",
  "vmdk",
  "vdi",
  "vhdx",
  "vpc",
  "cow",
  "parallels",
  "bochs",
  "cloop",
  "dmg",
  "luks",
]);

/** The nodes from the device's node down to the protocol node. */
export function chainOf(
  top: Tree,
  place: Place,
  named: ReadonlyMap<string, { tree: Tree; place: Place }>,
): Node[] {
  const chain: Node[] = [];
  let tree: Tree | undefined = top;
  let at = place;
  let inline = false;
  while (tree !== undefined && chain.length < 32) {
    const node: Node = { driver: textOf(tree, "driver") ?? "", tree, inline, place: at };
    chain.push(node);
    // The first child of a quorum stands for all.
    const below: unknown = get(tree, "file") ?? listOf(tree, "children")?.[0];
    if (typeof below === "string") {
      const reference = named.get(below);
      if (reference !== undefined) {
        tree = reference.tree;
        at = reference.place;
        inline = false;
        continue;
      }
      tree = below.startsWith("json:") ? parseObject(below.slice(5)) : undefined;
      if (tree === undefined && (filters.has(node.driver) || formats.has(node.driver)))
        tree = fileNode(below);
      inline = true;
    } else {
      tree = isTree(below) ? asNode(below) : undefined;
      inline = true;
    }
  }
  return chain;
}

/** The nodes of `-drive file=...`: a format node over a protocol node, as QEMU builds them. */
export function driveNode(drive: Tree): Tree {
  const file = get(drive, "file");
  const format = textOf(drive, "format") ?? textOf(drive, "driver");
  const name = typeof file === "string" ? file : textOf(treeOf(drive, "file"), "");
  if (name?.startsWith("json:")) {
    const whole = parseObject(name.slice(5));
    if (whole !== undefined) return merge(whole, drive);
  }
  const top: Tree = Object.assign(Object.create(null), drive);
  // driver=rbd,pool=... describes the protocol node only: QEMU probes the format, or takes format=.
  if (format !== undefined && !formats.has(format) && !filters.has(format)) {
    const protocol: Tree = Object.assign(Object.create(null), drive);
    protocol.driver = format;
    if (name !== undefined && textOf(protocol, "filename") === undefined) protocol.filename = name;
    return protocol;
  }
  top.driver = format ?? "raw";
  const below: Tree = name === undefined ? Object.create(null) : fileNode(name);
  if (isTree(file)) Object.assign(below, asNode(file));
  top.file = below;
  return top;
}

/** Options beside a JSON description apply to its top node. */
function merge(whole: Tree, drive: Tree): Tree {
  const { file: _file, format: _format, ...rest } = drive;
  return Object.assign(Object.create(null), whole, rest);
}

/** An inline child may consist of a file name only: `file.filename=rbd:...`. */
function asNode(tree: Tree): Tree {
  const name = textOf(tree, "filename") ?? textOf(tree, "");
  if (textOf(tree, "driver") !== undefined || name === undefined) return tree;
  return Object.assign(Object.create(null), fileNode(name), tree);
}

/** The protocol node that a file name stands for. */
function fileNode(name: string): Tree {
  const node: Tree = Object.create(null);
  if (name.startsWith("json:")) return parseObject(name.slice(5)) ?? node;
  const rbd = parseRbdName(name);
  if (rbd !== undefined) {
    node.driver = "rbd";
    node.filename = name;
    return node;
  }
  const protocol = /^([a-z][\w+.-]+):/.exec(name)?.[1];
  node.driver =
    protocol !== undefined && protocol !== "file"
      ? protocol
      : name.startsWith("/dev/")
        ? "host_device"
        : "file";
  node.filename = protocol === "file" ? name.slice(5) : name;
  return node;
}

export interface EffectiveCache {
  direct: boolean;
  noFlush: boolean;
  /** Whether any node of the chain sets it. */
  written: boolean;
  place: Place;
}

/** cache.direct and cache.no-flush in effect at the protocol node. */
export function effectiveCache(chain: readonly Node[]): EffectiveCache {
  let direct = false;
  let noFlush = false;
  let written = false;
  let place = chain[0]?.place;
  for (const { tree, inline, place: at } of chain) {
    const ownDirect = flagOf(tree, "cache.direct");
    const ownNoFlush = flagOf(tree, "cache.no-flush");
    if (!inline) {
      direct = false;
      noFlush = false;
      written = false;
    }
    if (ownDirect !== undefined || ownNoFlush !== undefined) {
      written = true;
      place = at;
    }
    direct = ownDirect ?? direct;
    noFlush = ownNoFlush ?? noFlush;
  }
  return { direct, noFlush, written, place: place! };
}

/** Whether TRIM passes every node: a node defined on its own needs discard=unmap; an inline node has it by default. */
export function passesDiscard(chain: readonly Node[]): boolean {
  return chain.every(({ tree, inline }) => {
    const discard = textOf(tree, "discard");
    return discard === undefined ? inline : ["unmap", "on"].includes(discard);
  });
}

/** The strongest detect-zeroes in the chain. */
export function detectZeroesOf(chain: readonly Node[]): string | undefined {
  return chain
    .map(({ tree }) => textOf(tree, "detect-zeroes"))
    .find((value) => value === "unmap" || value === "on");
}

/** The data's format: the first format node other than raw. */
export function formatOf(chain: readonly Node[]): string | undefined {
  return chain
    .map(({ driver }) => driver)
    .find((driver) => formats.has(driver) && driver !== "raw" && driver !== "luks");
}
