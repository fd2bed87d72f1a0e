import type { Engine, Load } from "./engine.ts";
import type { EngineName } from "./options.ts";
import type { BaselineCell, MeasuredCell } from "./results.ts";
import type { BaselineTarget } from "./target.ts";
import { wires } from "./wires.ts";

/** One thing to measure: a cluster, with a wire, through an engine; or why that is impossible. */
export type Cell = Pick<BaselineCell, "name" | "cluster" | "osds" | "wire" | "engine"> &
  (PlannedDetails | { status: "skipped"; reason: string });

type PlannedDetails = Pick<MeasuredCell, "place" | "clientCpu" | "mode" | "command" | "clientConf"> & {
  status: "planned";
  target: BaselineTarget;
  through: Engine;
};

export type PlannedCell = Extract<Cell, { status: "planned" }>;

/** An engine, or why this machine lacks it. */
export type EngineChoice = Engine | { name: EngineName; reason: string };

/** Every target through every engine. */
export function planCells(
  targets: readonly BaselineTarget[],
  engines: readonly EngineChoice[],
  load: Load,
): Cell[] {
  return targets.flatMap((target) =>
    engines.map((engine): Cell => {
      const { name: cluster, osds, wire } = target;
      const base = { name: `${cluster}-${engine.name}`, cluster, osds, wire, engine: engine.name };
      const reason = "reason" in engine ? engine.reason : engine.obstacle(target);
      if ("reason" in engine || reason !== undefined) return { ...base, status: "skipped", reason: reason! };
      return {
        ...base,
        status: "planned",
        target,
        through: engine,
        place: engine.place,
        clientCpu: engine.clientCpu,
        mode: target.osds === undefined ? undefined : wires[wire].mode,
        command: engine.command(target, load),
        clientConf: target.conf.text,
      };
    }),
  );
}
