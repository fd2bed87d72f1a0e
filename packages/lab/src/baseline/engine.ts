import type { FioJob } from "../fio/command.ts";
import type { Fact } from "../ladder/target.ts";
import type { Run } from "../results/schema.ts";
import type { EngineName } from "./options.ts";
import type { BaselineTarget } from "./target.ts";

/** A run's job, but for what it works on. */
export type Load = Omit<FioJob, "filename" | "image">;

/** A run, but for its place among the others. */
export type Measured = Omit<Run, "outlier" | "repeat" | "order">;

export interface LoadHooks {
  /** Where fio's own output is kept: a file, named relative to the results' directory. */
  directory: string;
  file: string;
  signal: AbortSignal;
  /** Called with the pid of the process whose CPU counts as the client's. */
  onClient?: (pid: number) => void;
}

/** A way from fio to the images of a cluster. */
export interface Engine {
  name: EngineName;
  /** Where fio and the client run. */
  place: "host" | "guest";
  /** Description of the CPU that counts as the client's, for readers. */
  clientCpu: string;
  /** Parts of the client besides this machine's programs. */
  facts: Fact[];
  /** Why it cannot be used on this target; undefined when it can. */
  obstacle(target: BaselineTarget): string | undefined;
  /** How a reader does the same. */
  command(target: BaselineTarget, load: Load): string;
  /** One run; throws a LabError when it fails or the client fell back to another mode of the wire. */
  load(target: BaselineTarget, load: Load, hooks: LoadHooks): Promise<Measured>;
}
