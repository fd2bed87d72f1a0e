import { DoctorError } from "../errors.ts";
import { diffOf } from "../fix/diff.ts";
import type { Fix } from "../fix/fix.ts";
import type { InputFile } from "../inputs/input.ts";
import { recognise } from "../inputs/recognise.ts";
import { type ConvertOptions, toRbd, toSiphon } from "./libvirt.ts";

/**
 * The change that moves a libvirt domain's disks from librbd to siphon, or back.
 *
 * @throws DoctorError SIPHON_USAGE if there is no such disk, SIPHON_NO_FIX if it cannot be converted
 */
export function convertDomain(file: InputFile, to: "siphon" | "rbd", options: ConvertOptions): Fix {
  const known = recognise(file);
  if (known.format !== "libvirt") {
    throw new DoctorError("SIPHON_NO_FIX", `${file.name} is not a libvirt domain`, {
      hint: "docs/attach-service.md describes other platforms",
    });
  }
  const { text: after, words } = to === "siphon" ? toSiphon(file, options) : toRbd(file, options);
  return {
    patches: [{ name: file.name, before: file.text, after, diff: diffOf(known, after) }],
    words,
    notes: [],
  };
}
