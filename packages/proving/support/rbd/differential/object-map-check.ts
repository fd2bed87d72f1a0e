import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Objects that a map may be wrong about: librbd alone leaves the same errors after the same steps. */
interface Tolerated {
  /**
   * Zeros were written to the object, or a comparison failed, so it may be unchanged. The map marked it as changed beforehand,
   * although it equals the last snapshot.
   */
  readonly perhapsUnchanged?: ReadonlySet<number>;
  /** A rollback by librbd copies the states of the snapshot's map, including "unchanged" for objects that it has rewritten. */
  readonly rolledBackByLibrbd?: boolean;
}

/** Errors that `rbd object-map check` finds in the maps of an image and its snapshots. */
export async function objectMapErrors(
  conf: string,
  user: string,
  image: string,
  { perhapsUnchanged = new Set(), rolledBackByLibrbd = false }: Tolerated = {},
): Promise<string[]> {
  const isTolerated = (line: string) => {
    const objectNumber = Number.parseInt(/\.([0-9a-f]{16}) /.exec(line)?.[1] ?? "", 16);
    if (line.includes("marked as 1, but should be 3")) return perhapsUnchanged.has(objectNumber);
    return rolledBackByLibrbd && line.includes("marked as 3, but should be 1");
  };
  const rbd = (...args: string[]) => run("rbd", ["--conf", conf, "--name", user, ...args]);
  const json = async (...args: string[]) => JSON.parse((await rbd(...args, "--format", "json")).stdout);
  const snapshots = (await json("snap", "ls", image)) as { name: string }[];
  const errors: string[] = [];
  for (const spec of [image, ...snapshots.map(({ name }) => `${image}@${name}`)]) {
    const { features, flags } = (await json("info", spec)) as { features: string[]; flags: string[] };
    if (!features.includes("object-map")) continue;
    if (flags.length > 0) errors.push(`${spec}: ${flags.join(", ")}`);
    const { stderr } = await rbd("object-map", "check", spec, "--no-progress");
    const found = stderr.split("\n").filter((line) => line.includes("object map error"));
    errors.push(...found.filter((line) => !isTolerated(line)));
  }
  return errors;
}
