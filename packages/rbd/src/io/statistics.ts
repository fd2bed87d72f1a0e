import type { RecordableHistogram } from "node:perf_hooks";
import { type OperationKind, operationKinds } from "./operation.ts";

/** How many requests there were, and what they led to. */
export class IoCounters {
  /** Requests that are done, failed ones as well. */
  readonly requests = Object.fromEntries(operationKinds.map((kind) => [kind, 0])) as Record<
    OperationKind,
    number
  >;
  failed = 0;
  readBytes = 0;
  writtenBytes = 0;
  /** Extents that the object map knew to have no object: no OSD was asked. */
  holes = 0;
  /** Extents that were read from the parent. */
  parentReads = 0;
  /** Objects that were given the parent's data. */
  copyUps = 0;
}

/** Latencies in nanoseconds from the call to `completed`, by kind of request. */
export type Latencies = Readonly<Record<OperationKind, RecordableHistogram>>;

/** Each histogram is made when it is first asked for: it takes half a megabyte. */
export function createLatencies(): Latencies {
  const latencies = {};
  for (const kind of operationKinds) {
    Object.defineProperty(latencies, kind, {
      ...{ enumerable: true, configurable: true },
      get() {
        const value = createLatencyHistogram();
        Object.defineProperty(latencies, kind, { value, enumerable: true });
        return value;
      },
    });
  }
  return latencies as Latencies;
}

/** To three significant figures. The module is large and not of Node's snapshot: it is loaded here. */
export function createLatencyHistogram(): RecordableHistogram {
  return process.getBuiltinModule("node:perf_hooks").createHistogram({ figures: 3 });
}
