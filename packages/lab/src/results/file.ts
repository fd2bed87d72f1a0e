import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { LabError } from "../errors.ts";
import { type Results, resultsSchema } from "./schema.ts";

/** The name of the file in a run's directory. */
export const resultsFile = "results.json";

/** The commands that write results.json. */
export type RunKind = "ladder" | "baseline" | "density";

/**
 * Reads and checks a ladder's results.json; `path` is the file or the directory that holds it.
 *
 * @throws LabError SIPHON_NOT_FOUND, SIPHON_PERMISSION, SIPHON_USAGE for another kind of run, or SIPHON_BAD_FILE if it
 * is damaged or from a newer siphon
 */
export async function readResults(path: string): Promise<Results> {
  return readRun(path, "ladder", resultsSchema);
}

/** The same for any kind of run. */
export async function readRun<T>(path: string, kind: RunKind, schema: z.ZodType<T>): Promise<T> {
  const { file, content } = await read(path);
  const found = kindOf(content);
  if (found !== kind) {
    throw new LabError("SIPHON_USAGE", `${file} is a run of siphon ${found}, not of siphon ${kind}`);
  }
  const version = z.object({ schema: z.int().min(2) }).safeParse(content);
  if (version.success) {
    throw new LabError(
      "SIPHON_BAD_FILE",
      `cannot read ${file}: its schema is ${version.data.schema}, this siphon knows schema 1`,
      { hint: "read it with the siphon that wrote it, or a newer one" },
    );
  }
  const parsed = schema.safeParse(content);
  if (!parsed.success) throw broken(file, firstProblems(parsed.error), parsed.error);
  return parsed.data;
}

/** The command that wrote a results.json, if known. */
export async function runKind(path: string): Promise<RunKind> {
  return kindOf((await read(path)).content);
}

/** Writes a ladder's results.json into a directory (made if need be); returns its path. */
export async function writeResults(directory: string, results: Results): Promise<string> {
  return writeRun(directory, resultsSchema.parse(results));
}

/** Writes results atomically. Returns the path. */
export async function writeRun(directory: string, results: object): Promise<string> {
  const file = join(directory, resultsFile);
  const temporary = `${file}.${process.pid}.tmp`;
  const text = `${JSON.stringify(results, null, 2)}\n`;
  try {
    await mkdir(directory, { recursive: true });
    {
      await using handle = await open(temporary, "w");
      await handle.writeFile(text);
      await handle.sync();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw unwritable(file, cause);
  }
  return file;
}

/** The error for a file that could not be written. */
export function unwritable(file: string, cause: unknown): LabError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new LabError("SIPHON_NO_SPACE", `cannot write ${file}: the file system is full`, {
      cause,
      hint: `make room in ${dirname(file)}, or choose another directory with --out`,
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new LabError("SIPHON_PERMISSION", `cannot write ${file}: permission denied (${code})`, {
      cause,
      hint: "choose another directory with --out",
    });
  }
  return new LabError("SIPHON_NOT_FOUND", `cannot write ${file}: ${message}`, { cause });
}

async function read(path: string): Promise<{ file: string; content: unknown }> {
  const file = await locate(path);
  try {
    return { file, content: JSON.parse(await readFile(file, "utf8")) };
  } catch (cause) {
    if (cause instanceof SyntaxError) throw broken(file, `it is not JSON: ${cause.message}`, cause);
    throw unreadable(file, cause);
  }
}

function kindOf(content: unknown): RunKind {
  const named = z.object({ kind: z.enum(["baseline", "density"]) }).safeParse(content);
  return named.success ? named.data.kind : "ladder";
}

async function locate(path: string): Promise<string> {
  try {
    return (await stat(path)).isDirectory() ? join(path, resultsFile) : path;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(file: string, cause: unknown): LabError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new LabError("SIPHON_NOT_FOUND", `cannot read ${file}: no such file`, {
      cause,
      hint: "name a results.json or the directory of a run, such as runs/latest",
    });
  }
  return new LabError("SIPHON_PERMISSION", `cannot read ${file}: ${message}`, { cause });
}

function broken(file: string, why: string, cause: unknown): LabError {
  return new LabError("SIPHON_BAD_FILE", `cannot read ${file}: ${why}`, {
    cause,
    hint: "it must be a results.json as siphon ladder, baseline and density write it",
  });
}

/** "rungs.3.command: expected string", for at most three places. */
function firstProblems(error: z.ZodError): string {
  const problems = error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`);
  const more = problems.length > 3 ? `, and ${problems.length - 3} more` : "";
  return `it is no results file (${problems.slice(0, 3).join("; ")}${more})`;
}
