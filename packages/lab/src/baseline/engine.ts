import type { FioJob } from "../fio/command.ts";
import type { Fact } from "../ladder/target.ts";
import type { Run } from "../results/schema.ts";
import type { EngineName } from "./options.ts";
import type { BaselineTarget } from "./target.ts";

/** A run's job without its target. */
export type Load = Omit<FioJob, "filename" | "engine" | "nbd" | "image">;

/** A run without its position in the order. */
export type Measured = Omit<Run, "outlier" | "repeat" | "order">;

export interface LoadHooks {
  /** File for the load's own output, relative to the results' directory. */
  directory: string;
  file: string;
  signal: AbortSignal;
  /** Called with the pid of the process whose CPU counts as the client's. */
  onClient?: (pid: number) => void;
}

/** A path from a load, mostly fio's, to the images of a cluster. */
export interface Engine {
  name: EngineName;
  /** Where the load and the client run. */
  place: "host" | "guest";
  /** Description of the CPU that counts as the client's, for readers. */
  clientCpu: string;
  /** Parts of the client other than this machine's programs. */
  facts: Fact[];
  /** Why it cannot be used on this target; undefined when it can. */
  obstacle(target: BaselineTarget): string | undefined;
  /** The command for a reader to do the same. */
  command(target: BaselineTarget, load: Load): string;
  /** One run; throws a LabError when it fails or the client fell back to another mode of the wire. */
  load(target: BaselineTarget, load: Load, hooks: LoadHooks): Promise<Measured>;
}
