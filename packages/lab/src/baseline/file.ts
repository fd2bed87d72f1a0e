import { readRun, writeRun } from "../results/file.ts";
import { type BaselineResults, baselineSchema } from "./results.ts";

/** Writes a baseline's results.json into a directory (made if need be); returns its path. */
export async function writeBaselineResults(directory: string, results: BaselineResults): Promise<string> {
  return writeRun(directory, baselineSchema.parse(results));
}

/** Reads a baseline's results.json, named by itself or by its directory; errors are those of `readRun`. */
export async function readBaselineResults(path: string): Promise<BaselineResults> {
  return readRun(path, "baseline", baselineSchema);
}
