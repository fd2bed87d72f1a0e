import type { BaselineResults } from "../results.ts";

export async function writeBaselineReport(_directory: string, _results: BaselineResults): Promise<void> {}
