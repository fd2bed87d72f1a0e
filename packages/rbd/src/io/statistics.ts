import type { RecordableHistogram } from "node:perf_hooks";
import { type OperationKind, operationKinds } from "./operation.ts";

/** Counts of requests and their effects. */
export class IoCounters {
  /** Completed requests, including failed ones. */
  readonly requests = Object.fromEntries(operationKinds.map((kind) => [kind, 0])) as Record<
    OperationKind,
    number
  >;
  failed = 0;
  readBytes = 0;
  writtenBytes = 0;
  /** Extents without an object according to the object map: no request to an OSD. */
  holes = 0;
  /** Extents that were read from the parent. */
  parentReads = 0;
  /** Objects copied up. */
  copyUps = 0;
}

/** Latencies in nanoseconds from the call to `completed`, by kind of request. */
export type Latencies = Readonly<Record<OperationKind, RecordableHistogram>>;

/** Each histogram is created at its first use: it takes half a megabyte. */
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

/** To three significant figures. The module is large and not in Node's snapshot, so it is loaded on demand. */
export function createLatencyHistogram(): RecordableHistogram {
  return process.getBuiltinModule("node:perf_hooks").createHistogram({ figures: 3 });
}
