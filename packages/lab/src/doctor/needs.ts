import { accessSync, constants, globSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Finding, Packages } from "./finding.ts";
import lists from "./packages.json" with { type: "json" };

/** A program or library of the system; the list is shared with the set-up script. */
export interface Need extends Packages {
  need: string;
  check: { program?: string | string[]; file?: string[] };
  for: string;
  /** Without it the ladder skips some rungs. */
  optional?: boolean;
}

/** Programs needed to run, and programs that the tests need besides. */
export const needs: { run: Need[]; test: Need[] } = lists;

/** Checks whether a need is met; missing `optional` ones limit siphon, the others stop it. */
export function lookAt({ need, check, optional, for: purpose, apt, dnf, pacman }: Need): Finding {
  const found = findNeed(check);
  if (found) return { name: need, status: "ok", found, for: purpose };
  const status = optional ? "limited" : "missing";
  return { name: need, status, found: "not found", for: purpose, packages: { apt, dnf, pacman } };
}

/** The path of the first existing program or file. */
export function findNeed({ program = [], file = [] }: Need["check"]): string | undefined {
  for (const name of [program].flat()) {
    const path = findProgram(name);
    if (path) return path;
  }
  return file.flatMap((pattern) => globSync(pattern))[0];
}

function findProgram(name: string): string | undefined {
  const directories = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const paths = name.startsWith("/") ? [name] : directories.map((directory) => join(directory, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
