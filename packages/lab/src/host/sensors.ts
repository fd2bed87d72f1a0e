import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Readings of the host's processors and memory; unavailable ones are undefined. */
export interface HostSample {
  /** Current mean over the processors. */
  mhz?: number;
  /** The hottest sensor. */
  celsius?: number;
  /** Thermal throttling events since boot. */
  throttled?: number;
  /** Pages allocated from the processor's own NUMA node, and from another one, since boot. */
  pages?: { local: number; remote: number };
}

/** The available readings, for readers of the figures. */
export interface HostAbilities {
  /** Undefined if unknown. */
  numaNodes: number | undefined;
  /** "governor performance, 800 to 3,400 MHz"; undefined if no frequency is visible. */
  frequency: string | undefined;
  thermalSensors: number;
}

/** Maximum number of processors to read, because reading a frequency takes time. */
const MOST_PROCESSORS = 16;

/**
 * Reads the host's sensors. They are looked for once. Sources: Linux, Documentation/admin-guide/pm/cpufreq.rst,
 * Documentation/driver-api/thermal/sysfs-api.rst, Documentation/ABI/stable/sysfs-devices-node, arch/x86/kernel/cpu/mce/therm_throt.c.
 */
export class HostSensors {
  readonly abilities: HostAbilities;
  readonly #frequencies: string[];
  readonly #throttles: string[];
  readonly #temperatures: string[];
  readonly #nodes: string[];

  /** @param sys where sysfs is mounted */
  constructor(sys = "/sys") {
    const processors = numbered(join(sys, "devices/system/cpu"), "cpu");
    const every = Math.ceil(processors.length / MOST_PROCESSORS);
    const shown = processors.filter((_, index) => index % every === 0);
    this.#frequencies = shown
      .map((each) => join(each, "cpufreq/scaling_cur_freq"))
      .filter((file) => numberIn(file) !== undefined);
    // Siblings share their core's count; only growth matters.
    this.#throttles = processors
      .map((each) => join(each, "thermal_throttle/core_throttle_count"))
      .filter((file) => numberIn(file) !== undefined);
    this.#temperatures = numbered(join(sys, "class/thermal"), "thermal_zone")
      .map((each) => join(each, "temp"))
      .filter((file) => numberIn(file) !== undefined);
    this.#nodes = numbered(join(sys, "devices/system/node"), "node");
    this.abilities = {
      numaNodes: this.#nodes.length || undefined,
      frequency: this.#frequencies.length === 0 ? undefined : frequencyOf(shown[0]!),
      thermalSensors: this.#temperatures.length,
    };
  }

  sample(): HostSample {
    const [kilohertz, heats, throttled] = [this.#frequencies, this.#temperatures, this.#throttles].map(
      (files) => files.flatMap((file) => numberIn(file) ?? []),
    ) as [number[], number[], number[]];
    // Not meaningful with one node.
    const pages = this.#nodes.length > 1 ? this.#nodes.map(pagesOf).reduce(both) : undefined;
    return {
      ...(kilohertz.length > 0 && { mhz: sum(kilohertz) / kilohertz.length / 1000 }),
      ...(heats.length > 0 && { celsius: Math.max(...heats) / 1000 }),
      ...(throttled.length > 0 && { throttled: sum(throttled) }),
      ...(pages && { pages }),
    };
  }
}

/** Directories NAME0, NAME1, ... in a directory, in the order of their numbers. */
function numbered(directory: string, name: string): string[] {
  const pattern = new RegExp(`^${name}(\\d+)$`);
  let entries: string[] = [];
  try {
    entries = readdirSync(directory);
  } catch {
    // There is none.
  }
  return entries
    .flatMap((entry) => {
      const number = pattern.exec(entry)?.[1];
      return number === undefined ? [] : [{ entry, number: Number(number) }];
    })
    .toSorted((a, b) => a.number - b.number)
    .map(({ entry }) => join(directory, entry));
}

function frequencyOf(processor: string): string {
  const text = (file: string) => textOf(join(processor, "cpufreq", file))?.trim();
  const mhz = (file: string) => Math.round(Number(text(file)) / 1000).toLocaleString("en-US");
  return `governor ${text("scaling_governor") ?? "unknown"}, ${mhz("cpuinfo_min_freq")} to ${mhz("cpuinfo_max_freq")} MHz`;
}

function pagesOf(node: string): NonNullable<HostSample["pages"]> {
  const text = textOf(join(node, "numastat")) ?? "";
  const value = (name: string) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(text)?.[1] ?? 0);
  return { local: value("local_node"), remote: value("other_node") };
}

function both(a: NonNullable<HostSample["pages"]>, b: NonNullable<HostSample["pages"]>) {
  return { local: a.local + b.local, remote: a.remote + b.remote };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

/** Some existing sensors cannot be read. */
function numberIn(file: string): number | undefined {
  const text = textOf(file)?.trim();
  return text && Number.isFinite(Number(text)) ? Number(text) : undefined;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

let own: HostSensors | undefined;

/** This host's. */
export function hostSensors(): HostSensors {
  own ??= new HostSensors();
  return own;
}
