import { type LadderOutcome, LiveRun, LiveServer } from "@siphon/lab";
import { interruption } from "./interruption.ts";

/**
 * Runs `work`. If `wanted`, a live page shows its progress until the end of the run; standard error names the page's address.
 *
 * @param outcomeOf gets the outcome of the run from the result of `work`
 */
export async function withLive<T>(
  wanted: boolean | undefined,
  title: string,
  work: (live: LiveRun | undefined) => Promise<T>,
  outcomeOf: (result: T) => LadderOutcome | undefined,
): Promise<T> {
  if (!wanted) return work(undefined);
  const live = new LiveRun();
  await using server = await LiveServer.start(live, title);
  process.stderr.write(`Live: ${server.url}\n`);
  try {
    const result = await work(live);
    const outcome = outcomeOf(result);
    const { failure, directory, results } = outcome ?? {};
    await live.end(
      {
        ...(failure !== undefined && { failure: messageOf(failure) }),
        ...(directory !== undefined && { report: `${directory}/report.html` }),
      },
      results,
    );
    return result;
  } catch (error) {
    await live.end({ failure: messageOf(error) });
    throw error;
  }
}

function messageOf(error: unknown): string {
  const { aborted, reason } = interruption.signal;
  const why = aborted ? reason : error;
  return why instanceof Error ? why.message : String(why);
}
