import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionLog, WireMode } from "../cluster/wire-modes.ts";
import { LabError } from "../errors.ts";
import type { BaselineTarget } from "./target.ts";
import { wires } from "./wires.ts";

/**
 * Runs `work`. Ends the OSDs' logging of connections, which costs CPU, when each OSD has logged one of the client,
 * during the warm-up.
 *
 * @throws LabError SIPHON_CLUSTER if a connection did not use the target's mode
 */
export async function inTargetsMode<T>(target: BaselineTarget, work: () => Promise<T>): Promise<T> {
  await using log = await target.openLog();
  if (!log) return work();
  const working = work();
  const modes = modesOnceConnected(log, working);
  // A failure of the work is more informative than a missing log.
  modes.catch(() => {});
  const result = await working;
  requireMode(target, await modes);
  return result;
}

async function modesOnceConnected(log: ConnectionLog, working: Promise<unknown>): Promise<Set<WireMode>> {
  let over = false;
  const end = () => {
    over = true;
  };
  void working.then(end, end);
  for (;;) {
    const last = over;
    const found = await log.byOsd();
    if (last || found.every((modes) => modes.size > 0)) {
      await log.close();
      return new Set(found.flatMap((modes) => [...modes]));
    }
    await sleep(50);
  }
}

function requireMode({ name, wire }: BaselineTarget, modes: Set<WireMode>): void {
  const { mode } = wires[wire];
  if (modes.size === 0) {
    throw new LabError("SIPHON_CLUSTER", `the OSDs of ${name} do not say in which mode its client connected`);
  }
  const others = [...modes].filter((each) => each !== mode);
  if (others.length === 0) return;
  throw new LabError(
    "SIPHON_CLUSTER",
    `the client of ${name} was to use ${mode} mode, but its OSDs say that it got ${others.join(", ")}`,
  );
}
