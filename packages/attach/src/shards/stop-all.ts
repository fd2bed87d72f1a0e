import { adviceOf } from "@siphon/wire";
import { AttachError } from "../errors.ts";

/** A process that serves disks, or its stand-in. */
export interface Stoppable {
  /** Drains it, and waits for its end. */
  stop(): Promise<void>;
  kill(): void;
}

/**
 * Drains all processes concurrently. If this process ends meanwhile, they end immediately.
 *
 * @throws AttachError SIPHON_ATTACH_DRAIN once all have ended, for those that failed
 */
export async function stopAll(processes: readonly Stoppable[]): Promise<void> {
  const killAll = () => {
    for (const each of processes) each.kill();
  };
  process.once("exit", killAll);
  const ends = await Promise.allSettled(processes.map((each) => each.stop()));
  process.off("exit", killAll);
  const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as AttachError] : []));
  if (failures.length === 0) return;
  const advised = failures.find(({ hint, remedy }) => hint !== undefined || remedy !== undefined);
  throw new AttachError("SIPHON_ATTACH_DRAIN", failures.map(({ message }) => message).join("; "), {
    cause: new AggregateError(failures),
    ...(advised && adviceOf(advised)),
  });
}
