import { Patience } from "../../lab/src/host/patience.ts";

export interface UntilOptions {
  /** Aborts the wait with its reason. */
  signal?: AbortSignal;
  /** A counter of the work that is awaited: the wait continues as long as the number changes. */
  progress?: () => number;
}

/** Waits for a condition; gives up after five minutes without progress. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { signal, progress = () => 0 }: UntilOptions = {},
): Promise<void> {
  const patience = new Patience({ progress, quietMs: 300_000 });
  while (!(await condition())) {
    signal?.throwIfAborted();
    const over = patience.isOver;
    if (over) throw new Error(`it did not come to pass ${over}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
