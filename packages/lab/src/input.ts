import { readFile } from "node:fs/promises";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { LabError } from "./errors.ts";

/** The problems of a user's input, in one line: `hosts.0.address: Invalid IPv4 address`. */
export function problemsOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": "))
    .join("; ");
}

/** The text of a file named by the user; `what` describes it; throws SIPHON_NOT_FOUND. */
export async function readInput(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new LabError("SIPHON_NOT_FOUND", `cannot read the ${what} ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * Reads a YAML file; an empty one is an empty mapping.
 *
 * @throws LabError SIPHON_NOT_FOUND or SIPHON_USAGE
 */
export async function readYaml(path: string, what: string): Promise<unknown> {
  const text = await readInput(path, what);
  try {
    return parseYaml(text) ?? {};
  } catch (cause) {
    const message = `the ${what} ${path} is no YAML: ${(cause as Error).message}`;
    throw new LabError("SIPHON_USAGE", message, { cause });
  }
}
