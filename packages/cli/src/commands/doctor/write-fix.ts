import { chmod, copyFile, readFile, rename, stat, writeFile } from "node:fs/promises";
import { DoctorError, decodeText, encodingOf, type Fix, redact } from "@siphon/doctor";
import { encodeText } from "./encode-text.ts";

/** A change for people to read: the notes, then the diff. */
export function renderedFix({ patches, words, notes }: Fix, write: boolean): string {
  const lines = [...words, ...notes].map((each) => `# ${each}`);
  const diffs = patches.map(({ diff }) => diff.trimEnd());
  const shown = diffs.map(redact);
  lines.push(...shown);
  if (shown.join() !== diffs.join()) lines.push("# keys and passwords are not shown, and stay as they are");
  if (patches.length > 0 && !write) lines.push("# nothing is changed yet; --write does it and keeps a copy");
  return `${lines.join("\n")}\n`;
}

/** Replaces a file atomically and keeps the previous version beside it. */
export async function replaceFile(
  { name, before, after }: Fix["patches"][number],
  words: readonly string[],
): Promise<string> {
  const path = words.find((word) => word === name || word.endsWith(`/${name}`)) ?? inDirectory(words, name);
  if (path === undefined || name === "standard input")
    throw new DoctorError("SIPHON_USAGE", `${name} is not a file that can be written`, {
      hint: "give the change to a file",
    });
  const bytes = await readFile(path);
  if (decodeText(bytes) !== before)
    throw new DoctorError("SIPHON_USAGE", `${path} has changed since it was read; nothing is written`);
  const encoding = encodingOf(bytes);
  if (!encodeText(before, encoding).equals(bytes))
    throw new DoctorError("SIPHON_NO_FIX", `${path} is not UTF-8 or UTF-16; nothing is written`, {
      hint: "make the change by hand: the rest of the file would not keep its characters",
    });
  const copy = `${path}.siphon-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  await copyFile(path, copy);
  const fresh = `${path}.${process.pid}.new`;
  // The file may hold keys: nobody else may read it before it has the original's mode.
  await writeFile(fresh, encodeText(after, encoding), { flag: "wx", mode: 0o600 });
  await chmod(fresh, (await stat(path)).mode);
  await rename(fresh, path);
  return `${path} is changed; ${copy} is what was there`;
}

function inDirectory(words: readonly string[], name: string): string | undefined {
  return words.length === 1 ? `${words[0]}/${name}` : undefined;
}
