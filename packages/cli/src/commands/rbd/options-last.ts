import { findDefaultPool } from "./default-pool.ts";

/** Rearranges the arguments of `rbd` before they are parsed. */
export async function arrangeRbd(args: readonly string[]): Promise<string[]> {
  await findDefaultPool(args);
  return optionsLast(args);
}

/**
 * Moves all options behind the arguments: Ceph's programs take options anywhere, before the command and within it, as in
 * `rbd -p images snap --format json ls vm1`. Also replaces Ceph's other names of an option by the one in siphon's help, and
 * translates the old `bench-write`.
 */
export function optionsLast(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  const given = end < 0 ? args : args.slice(0, end);
  const words: string[] = [];
  const options: string[] = [];
  for (let i = 0; i < given.length; i++) {
    const arg = given[i]!;
    if (!isOption(arg)) {
      words.push(arg);
      continue;
    }
    options.push(shown(arg));
    if (takesNext(arg) && i + 1 < given.length) options.push(given[++i]!);
  }
  const [verb] = words;
  if (verb === "bench-write") words[0] = "bench";
  const type = verb === "bench-write" ? ["--io-type", "write"] : [];
  return [...words, ...options, ...type, ...args.slice(given.length)];
}

/** A single dash is no option: it stands for standard input or output. */
function isOption(arg: string): boolean {
  return arg.startsWith("-") && arg !== "-";
}

function takesNext(arg: string): boolean {
  const hasItsValue = arg.includes("=") || /^-[^-]./.test(arg);
  return !hasItsValue && !switches.has(arg);
}

function shown(arg: string): string {
  const [name = "", ...value] = arg.split("=");
  return [synonyms.get(name) ?? name, ...value].join("=");
}

const synonyms = new Map([
  ["-i", "--id"],
  ["--user", "--id"],
  ["--mon_host", "--mon-host"],
]);

/** Options without a value, of all commands. Any other option takes the argument after it as its value. */
const switches = new Set([
  ...["-h", "--help", "-a", "--all", "-l", "--long", "-R", "--recursive", "--list"],
  ...["--pretty-format", "--verbose", "--no-progress", "--dry-run", "--force", "--resume", "--verify"],
  ...["--image-shared", "--new-format", "--thick-provision", "--flatten", "--allow-shrink"],
  ...["--whole-object", "--exact", "--merge-snapshots", "--descendants"],
  ...["--skip-quiesce", "--ignore-quiesce-error", "--quiesce", "--read-only", "--exclusive", "--show-cookie"],
]);
