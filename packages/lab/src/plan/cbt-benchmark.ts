import type { BaselineOptionsInput } from "../baseline/options.ts";
import type { LadderOptionsInput } from "../ladder/options.ts";
import { formatSize } from "../ladder/size.ts";
import { loadFields } from "../load/options.ts";
import { type CbtFile, mapping, type Options, values } from "./cbt-file.ts";

/** A plan file for one command's --plan. */
export type Plan = { name: string } & (
  | { command: "baseline"; options: BaselineOptionsInput }
  | { command: "ladder"; options: LadderOptionsInput }
);

/** The cluster and the repeats of the plans. */
export interface PlanTarget {
  existing: { conf: string; user: string; pool: string };
  repeat: number;
}

/** The benchmarks of CBT with a counterpart. */
export const benchmarkNames = ["librbdfio", "rbdfio", "kvmrbdfio"] as const;
export type BenchmarkName = (typeof benchmarkNames)[number];

type LoadName = "rw" | "bs" | "iodepth" | "seconds" | "warmup" | "size";
type Load = Partial<Record<LoadName, string | number>>;

/** CBT's name, siphon's name, and the conversion between them. */
const loadOptions: Record<string, { name: LoadName; convert?: (value: unknown) => unknown }> = {
  mode: { name: "rw", convert: (mode) => (mode === "readwrite" ? "rw" : mode) },
  op_size: { name: "bs", convert: Number },
  iodepth: { name: "iodepth", convert: Number },
  total_iodepth: { name: "iodepth", convert: Number },
  time: { name: "seconds", convert: Number },
  ramp: { name: "warmup", convert: Number },
  vol_size: { name: "size", convert: (mebibytes) => Number(mebibytes) * 2 ** 20 },
};

/** CBT's defaults (benchmark/librbdfio.py and its neighbours). */
const cbtDefaults: Options = { mode: "write", op_size: 4 * 2 ** 20, iodepth: 16, vol_size: 65_536 };

/** Options without effect if they have this value, which is siphon's behaviour. */
const sameAs: Options = {
  numjobs: 1,
  concurrent_procs: 1,
  procs_per_volume: 1,
  procs_per_client: 1,
  volumes_per_client: 1,
  rwmixread: 50,
  direct: 1,
  ioengine: "libaio",
  norandommap: true,
  time_based: true,
  end_fsync: 0,
  use_existing_volumes: false,
  random_distribution: "random",
};

/** Why other options are ignored; options not listed here are unknown. */
const reasons: Record<string, string> = {
  numjobs: "siphon runs one job",
  concurrent_procs: "siphon runs one process",
  procs_per_volume: "siphon runs one process",
  procs_per_client: "siphon runs one process",
  volumes_per_client: "siphon makes one image",
  rwmixread: "fio's own mix is used, half reads and half writes",
  norandommap: "siphon always draws offsets without a map, as the study does",
  time_based: "siphon always measures for a time",
  use_existing_volumes: "siphon measures on an image that it makes, and removes",
  rbdname: "siphon measures on an image that it makes, and removes",
  block_devices: "siphon boots a VM of its own with the disk to measure",
  cmd_path: "siphon runs the fio that it finds in PATH",
  fio_cmd: "siphon runs the fio that it finds in PATH",
  prefill: "siphon fills its image before it measures",
  fio_out_format: "siphon always keeps fio's JSON",
  pgs: "give it in the pool profile, which becomes the inventory's cluster.pgs",
  jobname: "the plan's file is named by its load",
};

/** The plans of a CBT benchmark: one for each combination of its values, in CBT's order. */
export function importBenchmark(file: CbtFile, benchmark: BenchmarkName, target: PlanTarget): Plan[] {
  const place = ["benchmarks", benchmark];
  const { workloads, ...common } = mapping(mapping(file.content.benchmarks)[benchmark]);
  const repeat = repeats(file, place, common, target.repeat);
  leaveOthers(file, place, common);
  if (differences[benchmark]) file.leave(place, differences[benchmark]);
  const parts = Object.entries(mapping(workloads));
  const found = parts.flatMap(([name, part]) => {
    leaveOthers(file, [...place, "workloads", name], mapping(part));
    const placeOf = (option: string) => (option in mapping(part) ? [...place, "workloads", name] : place);
    return loads(file, placeOf, benchmark, { ...common, ...mapping(part) });
  });
  const all = parts.length > 0 ? found : loads(file, () => place, benchmark, common);
  return all.map((load) => planOf(benchmark, load, { ...target, repeat }));
}

/** Differences between CBT and siphon, whatever the options. */
const differences: Partial<Record<BenchmarkName, string>> = {
  rbdfio: "CBT measures a file on XFS on the mapped image; siphon measures the mapped image itself",
  kvmrbdfio: "CBT measures VMs that are there; siphon boots its own, in every configuration of the ladder",
};

/** All combinations of the values of load options. */
function loads(
  file: CbtFile,
  placeOf: (option: string) => string[],
  benchmark: BenchmarkName,
  options: Options,
): Load[] {
  const all: Options = { ...cbtDefaults, ...(benchmark === "kvmrbdfio" ? { time: 300 } : {}), ...options };
  if ("total_iodepth" in options) delete all.iodepth; // CBT then uses the total
  if (!("time" in all)) {
    file.leave(placeOf(""), "no time is given: CBT goes once over the volume, siphon measures 2 s");
  }
  let found: Load[] = [{}];
  for (const [option, { name, convert = asIs }] of Object.entries(loadOptions)) {
    const wanted = values(all[option]).map(convert);
    if (wanted.length === 0) continue;
    const fits = (value: unknown): value is string | number => loadFields[name].safeParse(value).success;
    const others = wanted.filter((value) => !fits(value));
    if (others.length > 0) {
      file.leave([...placeOf(option), option], `siphon's ${name} cannot be ${others.join(", ")}`);
    }
    found = found.flatMap((load) => wanted.filter(fits).map((value) => ({ ...load, [name]: value })));
  }
  return found;
}

function asIs(value: unknown): unknown {
  return value;
}

function repeats(file: CbtFile, place: string[], { iterations }: Options, fallback: number): number {
  if (iterations === undefined) return fallback;
  const parsed = loadFields.repeat.safeParse(iterations);
  if (!parsed.success) file.leave([...place, "iterations"], `siphon's repeat cannot be ${iterations}`);
  return parsed.data ?? fallback;
}

function planOf(benchmark: BenchmarkName, load: Load, { existing, repeat }: PlanTarget): Plan {
  const { rw, bs, iodepth } = load;
  const size = formatSize(Number(bs)).replace(" ", "").replace("iB", "").toLowerCase();
  const name = `${benchmark}-${rw}-${size}-qd${iodepth}`;
  const options = { ...load, repeat, existing } as BaselineOptionsInput & LadderOptionsInput;
  if (benchmark === "kvmrbdfio") return { name, command: "ladder", options: { ...options, bigger: false } };
  const engine = benchmark === "librbdfio" ? "librbd" : "krbd";
  return { name, command: "baseline", options: { ...options, engines: [engine] } };
}

/** Lists ignored options, except those with siphon's behaviour. */
function leaveOthers(file: CbtFile, place: string[], options: Options): void {
  const taken = [...Object.keys(loadOptions), "iterations", "pool_profile", "poolname"];
  for (const [option, value] of Object.entries(options)) {
    if (taken.includes(option)) continue;
    if (option in sameAs && values(value).every((each) => String(each) === String(sameAs[option]))) continue;
    file.leave([...place, option], reasons[option] ?? "it has no counterpart in siphon");
  }
}
