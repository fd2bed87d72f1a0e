import type { InventoryOsd } from "./inventory.ts";

/** The state of a path for an OSD. */
export interface Inspection {
  path: string;
  kind: "block" | "file" | "absent" | "other";
  /** Types of the signatures in it, as wipefs(8) names them: `ext4`, `gpt`, `ceph_bluestore`. */
  signatures: string[];
  /** Whether its beginning has bytes other than zero. */
  written: boolean;
  /** The block device, then the devices on it: partitions, volumes, RAIDs, maps. */
  nodes: { path: string; type: string; bytes: number; mount?: string }[];
}

/** Bytes at the beginning that must be zero for a device or file to count as empty. */
export const HEAD_MIB = 16;

/**
 * Script lines that define `inspect PATH`, which prints lines of tab-separated fields:
 *
 *     device PATH KIND | signature TYPE | written | node PATH TYPE BYTES [MOUNTPOINT]
 */
export const inspectFunction: string[] = [
  "inspect() {",
  '  if [ -b "$1" ]; then kind=block',
  '  elif [ -f "$1" ]; then kind=file',
  '  elif [ -e "$1" ]; then kind=other',
  "  else kind=absent; fi",
  `  printf 'device\\t%s\\t%s\\n' "$1" "$kind"`,
  '  case "$kind" in absent|other) return 0 ;; esac',
  '  real=$(readlink -f -- "$1")',
  '  signatures=$(wipefs --no-act --parsable "$real")',
  `  printf '%s\\n' "$signatures" | sed -n '/^0x/s/.*,/signature\\t/p'`,
  `  first=$(head -c ${HEAD_MIB * 2 ** 20} "$real" | tr -d '\\000' | head -c 1 | wc -c)`,
  '  [ "$first" -eq 0 ] || echo written',
  '  if [ "$kind" = block ]; then',
  '    nodes=$(lsblk --raw --noheadings --bytes --paths --output NAME,TYPE,SIZE,MOUNTPOINT "$real")',
  `    printf '%s\\n' "$nodes" | sed 's/^/node\\t/; s/ /\\t/g'`,
  "  fi",
  "}",
];

/** Parses the output of `inspect` for any number of paths. */
export function parseInspections(lines: string[]): Inspection[] {
  const found: Inspection[] = [];
  for (const [word, ...fields] of lines.map((line) => line.split("\t"))) {
    const last = found.at(-1);
    if (word === "device") {
      const [path, kind] = fields as [string, Inspection["kind"]];
      found.push({ path, kind, signatures: [], written: false, nodes: [] });
    } else if (word === "signature") last?.signatures.push(fields[0]);
    else if (word === "node") last?.nodes.push(nodeOf(fields));
    else if (word === "written" && last) last.written = true;
  }
  return found;
}

function nodeOf([path, type, bytes, mount]: string[]): Inspection["nodes"][number] {
  return { path, type, bytes: Number(bytes), mount: mount || undefined };
}

/**
 * Why an OSD cannot use a path; undefined if it can. A device in use is never used; one that only holds data is used if
 * it may be wiped.
 */
export function objection(osd: InventoryOsd, found: Inspection, mayWipe: boolean): string | undefined {
  const { path, kind, signatures, written, nodes } = found;
  const wanted = "device" in osd ? "block" : "file";
  if (kind === "absent") return wanted === "block" ? `there is no ${path}` : undefined;
  if (kind === "other") return `${path} is neither a block device nor a file`;
  if (kind !== wanted) {
    return kind === "block"
      ? `${path} is a block device: name it with device:`
      : `${path} is a file: name it with file:`;
  }
  const uses = nodes.flatMap(({ path: node, type, mount }, n) => {
    if (mount) return [mount === "[SWAP]" ? `${node} is swap` : `${node} is mounted on ${mount}`];
    return n > 0 && type !== "part" ? [`${node} (${type}) is on it`] : [];
  });
  if (uses.length > 0) return `${path} is in use: ${uses.join(", ")}`;
  const partitions = nodes.slice(1).map(({ path: node }) => node);
  const holds = [...new Set([...signatures, ...partitions])];
  if (holds.length === 0 && written) holds.push("of an unknown kind");
  if (holds.length === 0 || mayWipe) return undefined;
  return `${path} holds data (${holds.join(", ")})`;
}
