import assert from "node:assert/strict";
import { test } from "node:test";
import { IoMetrics, ioKind } from "../../src/server/io-metrics.ts";
import { MetricsServer } from "../../src/server/metrics-server.ts";
import { prometheusText } from "../../src/server/prometheus.ts";

function measured(name: string) {
  const metrics = new IoMetrics();
  metrics.finished(ioKind.read, 16_384, metrics.started(), false);
  metrics.finished(ioKind.read, 16_384, metrics.started(), true);
  metrics.finished(ioKind.write, 4096, metrics.started(), false);
  metrics.started();
  return { name, size: 1 << 30, metrics };
}

test("figures are told for each image and operation, in Prometheus's format", () => {
  const text = prometheusText({ disks: [measured("pool/one"), measured('pool/t"wo')], shards: [] });
  assert.match(text, /^siphon_attach_operations_total\{image="pool\/one",operation="read"\} 2$/m);
  assert.match(text, /^siphon_attach_bytes_total\{image="pool\/one",operation="read"\} 16384$/m);
  assert.match(text, /^siphon_attach_errors_total\{image="pool\/t\\"wo",operation="read"\} 1$/m);
  assert.match(text, /^siphon_attach_in_flight\{image="pool\/one"\} 1$/m);
  assert.match(
    text,
    /^siphon_attach_latency_seconds_bucket\{image="pool\/one",operation="write",le="\+Inf"\} 1$/m,
  );
  const families = text.split("\n").filter((line) => line.startsWith("# TYPE"));
  assert.equal(new Set(families).size, families.length);
});

test("a disk whose writes wait for its header or the watch on it says so, also from another process", () => {
  const disk = measured("pool/one");
  const told = () => prometheusText({ disks: [disk], shards: [] });
  assert.match(told(), /^siphon_attach_held\{image="pool\/one"\} 0$/m);
  disk.metrics.hold = () => "watch";
  assert.match(told(), /^siphon_attach_held\{image="pool\/one"\} 1$/m);
  disk.metrics = new IoMetrics(structuredClone(disk.metrics.figures));
  assert.match(told(), /^siphon_attach_held\{image="pool\/one"\} 1$/m);
});

test("they are served at /metrics and nowhere else", async () => {
  const attachment = { measure: async () => ({ disks: [measured("pool/one")], shards: [] }) };
  await using server = await MetricsServer.listen({ host: "127.0.0.1", port: 0 }, attachment);
  const at = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  const figures = await at("/metrics");
  assert.equal(figures.headers.get("content-type"), "text/plain; version=0.0.4");
  assert.match(await figures.text(), /siphon_attach_size_bytes\{image="pool\/one"\} 1073741824/);
  assert.equal((await at("/")).status, 404);
});

test("shards are told of where there are any", () => {
  const shards = [
    { shard: 1, isUp: true, restarts: 0 },
    { shard: 2, isUp: false, restarts: 3 },
  ];
  const text = prometheusText({ disks: [], shards });
  assert.match(text, /^siphon_attach_shard_up\{shard="1"\} 1$/m);
  assert.match(text, /^siphon_attach_shard_up\{shard="2"\} 0$/m);
  assert.match(text, /^siphon_attach_shard_restarts_total\{shard="2"\} 3$/m);
  assert.doesNotMatch(prometheusText({ disks: [], shards: [] }), /shard/);
});

test("figures that went through another process tell the same", () => {
  const disk = measured("pool/one");
  const there = structuredClone(disk.metrics.figures);
  const copy = { ...disk, metrics: new IoMetrics(there) };
  assert.equal(prometheusText({ disks: [copy], shards: [] }), prometheusText({ disks: [disk], shards: [] }));
  disk.metrics.finished(ioKind.read, 1, disk.metrics.started(), false);
  assert.equal(copy.metrics.operations[ioKind.read], 2);
});
