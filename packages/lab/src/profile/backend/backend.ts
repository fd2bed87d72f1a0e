import type { ProcessId } from "../../host/proc.ts";
import type { Resource } from "../../state/resource.ts";
import type { Report } from "../../step.ts";
import type { BackendName, Profile } from "../profile.ts";
import type { Tally } from "../tally.ts";
import type { ThreadWatch } from "../thread-watch.ts";

/** A method to sample the stacks of another process. */
export interface Backend {
  name: BackendName;
  /** The programs that it needs. */
  programs: string[];
  /** Whether it stops threads with ptrace, which only one program at a time can do. */
  stops: boolean;
  collect(target: ProfileTarget, options: CollectOptions): Promise<Collected>;
}

export interface ProfileTarget {
  id: ProcessId;
  /** Read at every sample to see which threads run. */
  watch: ThreadWatch;
  /** A directory for temporary files; programs are started with its environment. */
  work: Resource;
}

export interface CollectOptions {
  seconds: number;
  intervalMs: number;
  signal: AbortSignal | undefined;
  report: Report;
}

/** The result of a backend. */
export interface Collected {
  rounds: number;
  cutShort: Profile["cutShort"];
  /** Duration of each sample in milliseconds. */
  sampleMs: number[];
  /** Milliseconds for which a sample stopped a thread (upper bound of the mean), and for which the start did. */
  stopMs: number;
  attachMs: number;
  /** The samples; looks up names now, when the process is no longer disturbed. */
  stacks(): Promise<NamedStacks>;
}

export interface NamedStacks {
  /** With names of functions; a function without a name is shown as its file in brackets. */
  tally: Tally;
  /** Samples of frames without a name, by file. */
  unnamed: Map<string, number>;
}
