import { LabError } from "../errors.ts";
import type { InventoryHost } from "./inventory.ts";

/** Why a step failed on a host, from the last output of the program. */
export function hostFailure({ name, directory }: InventoryHost, what: string, words: string): LabError {
  const message = `${name} cannot ${what}: ${words}`;
  if (/No space left on device|\(28\)|ENOSPC/.test(words)) {
    return new LabError("SIPHON_NO_SPACE", `${name} cannot ${what}: no space is left there`, {
      hint: `free some in ${directory}, or name another directory in the inventory`,
    });
  }
  if (/Address already in use|\(98\)|EADDRINUSE/.test(words)) {
    return new LabError("SIPHON_IN_USE", message, {
      hint: "something listens there already: give the monitor other ports in the inventory (mon: { v2: ..., v1: ... })",
    });
  }
  if (/Device or resource busy|EBUSY/.test(words)) {
    return new LabError("SIPHON_IN_USE", message, {
      hint: "end what uses the device there, or leave it out of the inventory",
    });
  }
  if (/a password is required|a terminal is required|Permission denied|Operation not permitted/.test(words)) {
    return new LabError("SIPHON_PERMISSION", message, {
      hint: "log in as root there (ssh: user), or as one who has sudo without a password (ssh: sudo: true)",
    });
  }
  return new LabError("SIPHON_HOST", message);
}
