import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer } from "../../../../cli/test/support/rbd-in-process.ts";
import { type Both, differing, type Part } from "./compare.ts";
import { accountedFor, type Difference } from "./differences.ts";
import { Lane } from "./lane.ts";
import { killed, type Program, packagedSiphon, rbd, siphonInProcess } from "./programs.ts";

/** A command line with two different results. */
export interface Finding {
  readonly line: string;
  readonly parts: readonly Part[];
  readonly ours: Answer;
  readonly theirs: Answer;
  /** The deliberate differences that explain the whole finding; none if one part has no explanation. */
  readonly differences: readonly Difference[];
}

export interface CampaignOptions {
  conf: string;
  lines: readonly string[];
  /** Lines at a time; default 4. A lane has its own pools, so its lines see nothing of the others'. */
  lanes?: number;
  /** Runs siphon as it ships instead of its sources. */
  packaged?: boolean;
  report?: Reporter;
  /** Ends the campaign after the present lines. */
  signal?: AbortSignal;
}

/** Receives each line with its finding, if there is one. */
export type Reporter = (line: string, finding: Finding | undefined) => void;

/** Gives command lines to `siphon rbd` and to `rbd`. The findings are in the order of the lines. */
export async function runCampaign(options: CampaignOptions): Promise<Finding[]> {
  const { conf, lines, lanes = 4, packaged = false, report, signal } = options;
  await using stack = new AsyncDisposableStack();
  const parent = await mkdtemp(join(tmpdir(), "siphon-lines-"));
  stack.defer(() => rm(parent, { recursive: true }));
  const theirs = stack.use(rbd());
  const release = await releaseOf(theirs);
  const findings = new Map<number, Finding>();
  const queue = lines.entries();
  await Promise.all(Array.from({ length: Math.min(lanes, lines.length) }, (_, index) => work(index)));
  return [...findings].sort(([a], [b]) => a - b).map(([, finding]) => finding);

  async function work(index: number): Promise<void> {
    using ours = packaged ? packagedSiphon() : siphonInProcess();
    await using lane = await Lane.open({ conf, index, directory: parent, programs: { ours, theirs } });
    for (const [order, line] of queue) {
      let finding = findingOf(line, await lane.compare(line, limit), release);
      if (finding !== undefined && isUnexplainedKill(finding)) {
        finding = findingOf(line, await lane.compare(line, longLimit), release);
      }
      if (signal?.aborted) return;
      if (finding !== undefined) findings.set(order, finding);
      report?.(line, finding);
    }
  }
}

function findingOf(line: string, both: Both, release: number): Finding | undefined {
  const parts = differing(both);
  if (parts.length === 0) return;
  const known = parts.map((part) => accountedFor(line, both, part, release));
  const differences = known.some((each) => each === undefined) ? [] : (known as Difference[]);
  return { line, parts, ...both, differences };
}

/** Milliseconds for a program, and where no difference explains that it was killed: a machine may be busy. */
const limit = 30_000;
const longLimit = 300_000;

function isUnexplainedKill({ ours, theirs, differences }: Finding): boolean {
  return differences.length === 0 && (ours.code === killed || theirs.code === killed);
}

/** The major release of rbd. */
async function releaseOf(program: Program): Promise<number> {
  return Number(/version (\d+)/.exec((await program.call(["--version"], longLimit)).stdout)?.[1]);
}
