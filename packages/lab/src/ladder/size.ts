import { z } from "zod";
import { LabError } from "../errors.ts";

const units: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/**
 * Bytes of a size as fio and qemu-img write it: `16k`, `4M`, `20G`, `16384`.
 *
 * @throws LabError SIPHON_USAGE
 */
export function parseSize(text: string): number {
  const match = /^(\d+)([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (!match || Number(match[1]) === 0) {
    throw new LabError("SIPHON_USAGE", `${JSON.stringify(text)} is no size`, {
      hint: "write it like 16k, 4M or 20G",
    });
  }
  return Number(match[1]) * units[match[2].toLowerCase()];
}

/** A number of bytes, or a text for `parseSize`; the result is in bytes. */
export const sizeField = z.union([z.int().positive(), z.string()]).transform((value, context) => {
  try {
    return typeof value === "number" ? value : parseSize(value);
  } catch (error) {
    context.addIssue((error as LabError).message);
    return z.NEVER;
  }
});

/** A size for people, in powers of 1,024 and at most one decimal: `16 KiB`, `1.5 GiB`. */
export function formatSize(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), names.length - 1);
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${names[power]}`;
}
