import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { DoctorError, decodeText, type InputFile, recognise } from "@siphon/doctor";

/** Bytes; a larger file is not a configuration. */
const largest = 16 * 2 ** 20;

/**
 * Reads the files that a command line names: files, directories (every file in a known format), `-` for standard input.
 * Returns undefined if no word is a file: then the words name running VMs.
 *
 * @throws DoctorError SIPHON_USAGE for a path that cannot be read
 */
export async function readInputs(words: readonly string[]): Promise<InputFile[] | undefined> {
  const files: InputFile[] = [];
  const names: string[] = [];
  for (const word of words) {
    const read =
      word === "-"
        ? [{ name: "standard input", text: await textOf(process.stdin, "standard input") }]
        : await readPath(word);
    if (read === undefined) names.push(word);
    else files.push(...read);
  }
  if (files.length === 0) return undefined;
  if (names.length > 0)
    throw new DoctorError("SIPHON_USAGE", `cannot read ${names[0]}: there is no such file`, {
      hint: "give either files or running VMs; each VM that runs is examined by itself",
    });
  return files;
}

/** Domain names may contain dots, but no slashes. */
const pathLike = /\/|\.(xml|conf|cfg|ini|ya?ml|json|txt|log|one)$/;

async function readPath(path: string): Promise<InputFile[] | undefined> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) {
    if (!pathLike.test(path)) return undefined;
    throw new DoctorError("SIPHON_USAGE", `cannot read ${path}: there is no such file`);
  }
  if (!status.isDirectory()) return [await readOne(path, path)];
  const names = (await readdir(path, { withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
  const inside = await Promise.all(names.sort().map((name) => readOne(join(path, name), basename(name))));
  const known = inside.filter(isKnown);
  if (known.length > 0) return known;
  throw new DoctorError("SIPHON_USAGE", `${path} has no file that the doctor reads`, {
    hint: "siphon doctor vm --help lists the formats",
  });
}

async function readOne(path: string, name: string): Promise<InputFile> {
  try {
    return { name, text: await textOf(createReadStream(path), path) };
  } catch (error) {
    if (error instanceof DoctorError) throw error;
    throw new DoctorError("SIPHON_USAGE", `cannot read ${path} (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}

/** Files in a directory that are in no known format are skipped. */
function isKnown(file: InputFile): boolean {
  if (file.name === "expected.json") return false;
  try {
    recognise(file);
    return true;
  } catch {
    return false;
  }
}

async function textOf(source: AsyncIterable<Buffer>, name: string): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of source) {
    size += part.length;
    if (size > largest)
      throw new DoctorError("SIPHON_USAGE", `${name} is larger than 16 MiB, which no configuration is`);
    parts.push(part);
  }
  return decodeText(Buffer.concat(parts));
}
