/** A property of a run that matters for its figures. */
export interface Setting {
  group: "workload" | "machine" | "versions" | "accelerator" | "guest" | "cluster" | "siphon";
  name: string;
  value: string;
}

/** A setting that is not the same in all runs. */
export interface Difference extends Omit<Setting, "value"> {
  /** One per run, in their order; null if a run lacks it. */
  values: (string | null)[];
}

/** Settings that differ between runs and may explain different figures. */
export function settingsThatDiffer(runs: readonly (readonly Setting[])[]): Difference[] {
  const key = ({ group, name }: Setting) => `${group} ${name}`;
  const valuesOf = runs.map((settings) => new Map(settings.map((setting) => [key(setting), setting.value])));
  const all = new Map(runs.flat().map((setting) => [key(setting), setting]));
  return [...all].flatMap(([found, { group, name }]) => {
    const values = valuesOf.map((settings) => settings.get(found) ?? null);
    return values.every((value) => alike(value, values[0], group)) ? [] : [{ group, name, values }];
  });
}

/** Sizes that siphon derives from the free memory vary a little. */
function alike(value: string | null, other: string | null, group: Setting["group"]): boolean {
  if (value === other) return true;
  const [a, b] = [Number(value), Number(other)];
  return group === "cluster" && value !== null && other !== null && Math.abs(a - b) < 0.01 * Math.max(a, b);
}

/** A difference's setting as a reader sees it: "cluster: OSDs". */
export function differenceName({ group, name }: Difference): string {
  return group === name ? name : `${group}: ${name}`;
}

/** Whether the runs did different work, so that their figures cannot be compared. */
export function differentWork(differences: readonly Difference[]): boolean {
  return differences.some(changesWork);
}

/** Whether runs that differ in it did different work. */
export function changesWork({ group, name }: Pick<Setting, "group" | "name">): boolean {
  return group === "workload" && !harmless.has(name);
}

/** More or longer repeats make figures more precise, but not different. */
const harmless = new Set(["seconds", "repeats", "slice", "warm-up"]);
