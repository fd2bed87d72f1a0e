import type { InputFile } from "../inputs/input.ts";
import { readArguments } from "../inputs/qemu/arguments.ts";
import { keyValues, splitCommas, textOf } from "../inputs/qemu/key-values.ts";
import type { FixTarget } from "./fix-target.ts";

/** Options of a -drive; undefined removes one. */
const driveOptions: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  "cache-librbd-on": { cache: "none" },
  "cache-unsafe": { cache: "none" },
  "discard-off": { discard: "unmap" },
  "aio-without-effect": { aio: undefined },
  "aio-threads": { aio: "native" },
  "detect-zeroes-cost": { "detect-zeroes": undefined },
};

/** A command line with one finding mended, where an option's argument does it. */
export function fixQemu(file: InputFile, { id, disks, vm }: FixTarget): string | undefined {
  let { text } = file;
  const { options } = readArguments(file);
  const replace = (from: string, to: string) => {
    const at = text.indexOf(from);
    if (at >= 0 && from !== to) text = text.slice(0, at) + to + text.slice(at + from.length);
  };
  const changes = driveOptions[id];
  for (const { name, value } of changes === undefined ? [] : options) {
    if (name !== "drive" || value.startsWith("{")) continue;
    const drive = textOf(keyValues(value), "id");
    const isOnly = drive === undefined && options.filter((option) => option.name === "drive").length === 1;
    if (isOnly || (drive !== undefined && disks.includes(drive))) replace(value, setOptions(value, changes!));
  }
  if (id === "accel-tcg" && vm.accelerator !== undefined) {
    const named = options.find(({ name, value }) => name === "accel" && value.startsWith("tcg"));
    const machine = options.find(
      ({ name, value }) => (name === "machine" || name === "M") && /accel=tcg/.test(value),
    );
    if (named !== undefined) replace(named.value, "kvm");
    else if (machine !== undefined) replace(machine.value, machine.value.replace("accel=tcg", "accel=kvm"));
    else append(" -accel kvm");
  }
  if (id === "cpu-generic") {
    const cpu = options.find(({ name }) => name === "cpu");
    if (cpu === undefined) append(" -cpu host");
    else replace(`-cpu ${cpu.value}`, `-cpu ${["host", ...cpu.value.split(",").slice(1)].join(",")}`);
  }
  return text === file.text ? undefined : text;

  function append(words: string): void {
    text = text.replace(/\s*$/, (end) => words + end);
  }
}

/** The options in their places, commas doubled again. */
function setOptions(value: string, changes: Readonly<Record<string, string | undefined>>): string {
  const parts = splitCommas(value).filter((part) => {
    const key = part.split("=")[0]!;
    return !(Object.hasOwn(changes, key) || (Object.hasOwn(changes, "cache") && key.startsWith("cache.")));
  });
  for (const [key, setting] of Object.entries(changes))
    if (setting !== undefined) parts.push(`${key}=${setting}`);
  return parts.map((part) => part.replaceAll(",", ",,")).join(",");
}
