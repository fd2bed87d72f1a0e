import type { Disk } from "../../model/disk.ts";
import type { Place } from "../../model/place.ts";
import type { Vm } from "../../model/vm.ts";
import { type QemuCommand, readCommand } from "./command.ts";
import { disksOf } from "./disks.ts";

/** Adds the disks in arguments that a configuration appends to QEMU's command line; they share one place. */
export function addExtraArguments(vm: Vm, args: string, place: Place): QemuCommand {
  const command = readCommand({ name: place.file, text: `qemu-system-x86_64${args}` });
  const machine = vm.machine?.value ?? { board: "other", byDefault: true };
  for (const disk of disksOf(command, machine, false)) vm.disks.push(placedAt(disk, place) as Disk);
  return command;
}

function placedAt(value: unknown, place: Place): unknown {
  if (typeof value !== "object" || value === null || value instanceof Map || Array.isArray(value))
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === "place" ? place : placedAt(inner, place)]),
  );
}
