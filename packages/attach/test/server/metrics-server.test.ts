import assert from "node:assert/strict";
import { test } from "node:test";
import { IoMetrics, ioKind } from "../../src/server/io-metrics.ts";
import { MetricsServer } from "../../src/server/metrics-server.ts";
import { prometheusText } from "../../src/server/prometheus.ts";
import { RateWatch } from "../../src/server/rates.ts";

function measured(name: string) {
  const metrics = new IoMetrics();
  metrics.finished(ioKind.read, 16_384, metrics.started(), false);
  metrics.finished(ioKind.read, 16_384, metrics.started(), true);
  metrics.finished(ioKind.write, 4096, metrics.started(), false);
  metrics.started();
  return { name, device: { size: 1 << 30 }, metrics };
}

test("figures are told for each image and operation, in Prometheus's format", () => {
  const text = prometheusText([measured("pool/one"), measured('pool/t"wo')]);
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

test("they are served at /metrics and nowhere else", async () => {
  await using server = await MetricsServer.listen({ host: "127.0.0.1", port: 0 }, [measured("pool/one")]);
  const at = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  const figures = await at("/metrics");
  assert.equal(figures.headers.get("content-type"), "text/plain; version=0.0.4");
  assert.match(await figures.text(), /siphon_attach_size_bytes\{image="pool\/one"\} 1073741824/);
  assert.equal((await at("/")).status, 404);
});

test("rates are of the time since they were asked for last", () => {
  const { metrics } = measured("pool/one");
  const watch = new RateWatch(metrics);
  assert.equal(watch.next().readIops, 0);
  metrics.finished(ioKind.write, 4096, metrics.started(), true);
  const rates = watch.next();
  assert.ok(rates.writeIops > 0);
  assert.equal(rates.errors, 1);
  assert.ok(rates.p99 > 0);
  assert.equal(watch.next().writeIops, 0);
});
