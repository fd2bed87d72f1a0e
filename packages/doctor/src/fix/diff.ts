import { createTwoFilesPatch } from "diff";
import type { RecognisedFile } from "../inputs/input.ts";

/** A unified diff; the one long line of a command line is split into one option a line. */
export function diffOf({ name, text, format }: RecognisedFile, after: string): string {
  const lines = (whole: string) =>
    format === "qemu" ? `${whole.trim().replace(/[ \0]+(?=--?[a-zA-Z][\w-]*[ \0])/g, "\n")}\n` : whole;
  return createTwoFilesPatch(name, name, lines(text), lines(after), undefined, undefined, {
    context: format === "qemu" ? 1 : 3,
  });
}
