// Prints how the packages depend on each other: imports that run upwards, cycles of files, lengths of files. With
// --check it prints only violations, and fails on an upward import or a cycle.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

/** From the bottom to the top: imports run downwards only. */
const floors = ["wire", "rados", "rbd", "attach", "doctor", "lab", "cli", "proving"];

/** The doctor examines text and processes: it needs no cluster client. */
const apart: Readonly<Record<string, readonly string[]>> = { doctor: ["rados", "rbd", "attach"] };

const root = fileURLToPath(new URL("..", import.meta.url));
const files = new Map(
  globSync("packages/*/src/**/*.ts", { cwd: root })
    .sort()
    .map((path) => [path, readFileSync(join(root, path), "utf8")]),
);
const imports = new Map([...files].map(([path, text]) => [path, importsOf(path, text)]));

const upward = [...imports].flatMap(([path, targets]) =>
  targets
    .filter((target) => !isDownward(packageOf(path), packageOf(target)))
    .map((target) => `${path} imports ${target}`),
);
const circles = circlesOf(imports);
const wrong = {
  "upward imports": upward,
  "circles of files": circles.map((circle) => `${circle.length} files: ${circle.join(", ")}`),
};
for (const [kind, found] of Object.entries(wrong)) {
  if (found.length === 0) continue;
  process.exitCode = 1;
  console.log(`${kind}:\n  ${found.join("\n  ")}`);
}
if (!process.argv.includes("--check")) {
  const lengths = [...files.values()].map((text) => text.split("\n").length - 1).sort((a, b) => a - b);
  const longest = [...files].toSorted(([, a], [, b]) => b.split("\n").length - a.split("\n").length)[0]!;
  console.log(
    `files: ${files.size}, median ${lengths[lengths.length >> 1]} lines, longest ${lengths.at(-1)} (${longest[0]})`,
  );
  console.log(`upward imports: ${upward.length}`);
  console.log(`circles of files: ${circles.length}`);
}

/** Files and packages (`packages/NAME`) that a file imports, types included. */
function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].flatMap(([, name]) => {
    if (name!.startsWith("@siphon/")) return [`packages/${name!.split("/")[1]}`];
    return name!.startsWith(".") ? [normalize(join(dirname(path), name!))] : [];
  });
}

function packageOf(path: string): string {
  return path.split("/")[1]!;
}

function isDownward(from: string, to: string): boolean {
  if (from === to) return true;
  return floors.indexOf(to) < floors.indexOf(from) && !apart[from]?.includes(to);
}

/** Files that import each other, directly or indirectly (strongly connected components, Tarjan). */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const visit = (node: string) => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!));
    }
    if (low.get(node) !== order.get(node)) return;
    const circle = stack.splice(stack.indexOf(node));
    if (circle.length > 1) found.push(circle);
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}
