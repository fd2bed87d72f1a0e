import { readRun, writeRun } from "../results/file.ts";
import { type DensityResults, densitySchema } from "./results.ts";

/** Writes a density run's results.json into a directory (made if need be); returns its path. */
export async function writeDensityResults(directory: string, results: DensityResults): Promise<string> {
  return writeRun(directory, densitySchema.parse(results));
}

/** Reads a density run's results.json, named by itself or by its directory; errors are those of `readRun`. */
export async function readDensityResults(path: string): Promise<DensityResults> {
  return readRun(path, "density", densitySchema);
}
