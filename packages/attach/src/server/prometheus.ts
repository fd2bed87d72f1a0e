import type { MeasuredDisk, Measurement, ShardState } from "./attachment.ts";
import { type DiskState, type IoMetrics, ioKinds } from "./io-metrics.ts";

/** Figures in Prometheus's text format, version 0.0.4. */
export function prometheusText({ disks, shards }: Measurement): string {
  const lines: string[] = [];
  const family = (
    name: string,
    type: string,
    help: string,
    samples: (disk: MeasuredDisk) => Iterable<string>,
  ) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const disk of disks) lines.push(...samples(disk));
  };
  const gauge = (name: string, help: string, value: (disk: MeasuredDisk) => number) =>
    family(name, "gauge", help, (disk) => [`${name}{${label(disk)}} ${value(disk)}`]);
  const byKind = (name: string, help: string, values: (metrics: IoMetrics) => Float64Array) =>
    family(name, "counter", help, (disk) =>
      ioKinds.map((kind, i) => `${name}{${label(disk)},operation="${kind}"} ${values(disk.metrics)[i]}`),
    );
  gauge("siphon_attach_size_bytes", "Size of the disk.", ({ size }) => size);
  gauge("siphon_attach_connections", "Clients that are connected.", ({ metrics }) => metrics.connections);
  gauge(
    "siphon_attach_in_flight",
    "Operations that are not answered yet.",
    ({ metrics }) => metrics.inFlight,
  );
  family(
    "siphon_attach_throttled_total",
    "counter",
    "Operations that waited for the disk's limits.",
    (disk) => [`siphon_attach_throttled_total{${label(disk)}} ${disk.metrics.throttled}`],
  );
  const isIn = (state: DiskState) => (disk: MeasuredDisk) => Number(disk.metrics.state === state);
  gauge(
    "siphon_attach_waiting",
    "Whether the cluster does not answer the disk's operations.",
    isIn("waiting"),
  );
  gauge("siphon_attach_paused", "Whether the disk is paused: no room, or timeouts.", isIn("paused"));
  gauge(
    "siphon_attach_held",
    "Whether writes wait for the image's changed header, or for the lost watch on it.",
    ({ metrics }) => Number(metrics.hold() !== undefined),
  );
  byKind("siphon_attach_operations_total", "Operations answered.", ({ operations }) => operations);
  byKind("siphon_attach_bytes_total", "Bytes of operations that succeeded.", ({ bytes }) => bytes);
  byKind("siphon_attach_errors_total", "Operations that failed.", ({ errors }) => errors);
  family("siphon_attach_latency_seconds", "histogram", "From a request's arrival to its answer.", latencies);
  if (shards.length > 0) {
    const ofShards = (name: string, type: string, help: string, value: (shard: ShardState) => number) => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const shard of shards) lines.push(`${name}{shard="${shard.shard}"} ${value(shard)}`);
    };
    ofShards("siphon_attach_shard_up", "gauge", "Whether the shard serves its images.", ({ isUp }) =>
      Number(isUp),
    );
    ofShards(
      "siphon_attach_shard_restarts_total",
      "counter",
      "Times that the shard was started again.",
      ({ restarts }) => restarts,
    );
  }
  return `${lines.join("\n")}\n`;
}

function* latencies(disk: MeasuredDisk): Generator<string> {
  const name = "siphon_attach_latency_seconds";
  for (const [i, kind] of ioKinds.entries()) {
    const labels = `${label(disk)},operation="${kind}"`;
    const histogram = disk.metrics.latencies[i]!;
    for (const [bound, count] of histogram.cumulative()) {
      yield `${name}_bucket{${labels},le="${bound}"} ${count}`;
    }
    yield `${name}_bucket{${labels},le="+Inf"} ${histogram.count}`;
    yield `${name}_sum{${labels}} ${histogram.sum}`;
    yield `${name}_count{${labels}} ${histogram.count}`;
  }
}

function label({ name, disk }: MeasuredDisk): string {
  const image = `image="${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
  return disk === undefined ? image : `disk="${disk}",${image}`;
}
