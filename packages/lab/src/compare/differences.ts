import type { Results } from "../results/schema.ts";

/** A setting that is not the same in all runs. */
export interface Difference {
  group: "workload" | "machine" | "versions" | "accelerator" | "guest" | "cluster" | "siphon";
  name: string;
  /** As many as there are runs, in their order; null where one does not have it. */
  values: (string | null)[];
}

/** What differs between runs besides their figures; a reader must know it to say what made the difference. */
export function settingsThatDiffer(runs: readonly Results[]): Difference[] {
  const settings = runs.map(settingsOf);
  const keys = new Map(
    settings.flatMap((each) => [...each].map(([key, { group, name }]) => [key, { group, name }])),
  );
  return [...keys].flatMap(([key, { group, name }]) => {
    const values = settings.map((each) => each.get(key)?.value ?? null);
    return values.every((value) => value === values[0]) ? [] : [{ group, name, values }];
  });
}

/** A difference's setting as a reader sees it: "cluster: OSDs". */
export function differenceName({ group, name }: Difference): string {
  return group === name ? name : `${group}: ${name}`;
}

/** Whether the runs did different work: then their figures cannot be held against each other. */
export function differentWork(differences: readonly Difference[]): boolean {
  return differences.some(({ group, name }) => group === "workload" && !harmless.has(name));
}

/** More or longer repeats make figures surer, not others. */
const harmless = new Set(["seconds", "repeats", "warm-up"]);

interface Setting {
  group: Difference["group"];
  name: string;
  value: string;
}

function settingsOf({ workload, facts, accelerator, mode, siphon }: Results): Map<string, Setting> {
  const { rw, blockSize, ioDepth, seconds, warmupSeconds, repeats, size } = workload;
  const all: Setting[] = [
    { group: "workload", name: "rungs", value: mode },
    { group: "workload", name: "kind", value: rw },
    { group: "workload", name: "block size", value: `${blockSize}` },
    { group: "workload", name: "queue depth", value: `${ioDepth}` },
    { group: "workload", name: "area", value: `${size}` },
    { group: "workload", name: "seconds", value: `${seconds}` },
    { group: "workload", name: "warm-up", value: `${warmupSeconds}` },
    { group: "workload", name: "repeats", value: `${repeats}` },
    { group: "accelerator", name: "accelerator", value: accelerator.name.toUpperCase() },
    ...(["machine", "versions", "guest", "cluster"] as const).flatMap((group) =>
      facts[group].map((fact) => ({ group, ...fact })),
    ),
    { group: "siphon", name: "siphon", value: siphon },
  ];
  return new Map(all.map((setting) => [`${setting.group} ${setting.name}`, setting]));
}
