import type { ProcessId } from "../../host/proc.ts";
import type { Resource } from "../../state/resource.ts";
import type { Report } from "../../step.ts";
import type { BackendName, Profile } from "../profile.ts";
import type { Tally } from "../tally.ts";
import type { ThreadWatch } from "../thread-watch.ts";

/** A way to see the stacks of another process. */
export interface Backend {
  name: BackendName;
  /** The programs that it needs. */
  programs: string[];
  /** Whether it stops threads to look at them (by ptrace), which only one program at a time can do. */
  stops: boolean;
  collect(target: ProfileTarget, options: CollectOptions): Promise<Collected>;
}

export interface ProfileTarget {
  id: ProcessId;
  /** To be read at every sample: it tells which threads run. */
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
  /** Milliseconds that each sample took. */
  sampleMs: number[];
  /** Milliseconds that a thread stood still for one sample, at most on average, and once at the start. */
  stopMs: number;
  attachMs: number;
  /** The samples; what can be looked up when the process is left alone again is looked up now. */
  stacks(): Promise<NamedStacks>;
}

export interface NamedStacks {
  /** With the names of functions; one without a name stands as its file in brackets. */
  tally: Tally;
  /** Samples of frames without a name, by the file that they lie in. */
  unnamed: Map<string, number>;
}
