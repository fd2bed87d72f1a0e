/**
 * The arguments of `rbd` with what stands before its command put behind them: Ceph's programs take their options in either place, as in
 * `rbd -p images ls`. Names that Ceph has for the same option become the one that siphon's help shows.
 */
export function optionsLast(args: readonly string[]): string[] {
  let command = 0;
  while (args[command]?.startsWith("-")) command += valued.has(shown(args[command]!)) ? 2 : 1;
  return [...args.slice(command), ...args.slice(0, command).map(shown)];
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

/** Options that the next word belongs to. */
const valued = new Set([
  ...[
    "-c",
    "--conf",
    "--cluster",
    "-n",
    "--name",
    "--id",
    "-m",
    "--mon-host",
    "-k",
    "--keyring",
    "-K",
    "--keyfile",
  ],
  ...["-p", "--pool", "--namespace", "--image", "--snap", "--format"],
]);
