/** Something about a run that a reader of its figures must know. */
export interface Setting {
  group: "workload" | "machine" | "versions" | "accelerator" | "guest" | "cluster" | "siphon";
  name: string;
  value: string;
}

/** A setting that is not the same in all runs. */
export interface Difference extends Omit<Setting, "value"> {
  /** As many as there are runs, in their order; null where one does not have it. */
  values: (string | null)[];
}

/** Settings that differ between runs, since they may be the reason for different figures. */
export function settingsThatDiffer(runs: readonly (readonly Setting[])[]): Difference[] {
  const key = ({ group, name }: Setting) => `${group} ${name}`;
  const valuesOf = runs.map((settings) => new Map(settings.map((setting) => [key(setting), setting.value])));
  const all = new Map(runs.flat().map((setting) => [key(setting), setting]));
  return [...all].flatMap(([found, { group, name }]) => {
    const values = valuesOf.map((settings) => settings.get(found) ?? null);
    return values.every((value) => alike(value, values[0], group)) ? [] : [{ group, name, values }];
  });
}

/** Sizes that siphon draws from the memory that happens to be free differ a little every time. */
function alike(value: string | null, other: string | null, group: Setting["group"]): boolean {
  if (value === other) return true;
  const [a, b] = [Number(value), Number(other)];
  return group === "cluster" && value !== null && other !== null && Math.abs(a - b) < 0.01 * Math.max(a, b);
}

/** A difference's setting as a reader sees it: "cluster: OSDs". */
export function differenceName({ group, name }: Difference): string {
  return group === name ? name : `${group}: ${name}`;
}

/** Whether the runs did different work: then their figures cannot be held against each other. */
export function differentWork(differences: readonly Difference[]): boolean {
  return differences.some(changesWork);
}

/** Whether runs that differ in it did different work. */
export function changesWork({ group, name }: Pick<Setting, "group" | "name">): boolean {
  return group === "workload" && !harmless.has(name);
}

/** More or longer repeats make figures surer, not others. */
const harmless = new Set(["seconds", "repeats", "slice", "warm-up"]);
