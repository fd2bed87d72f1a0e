import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { call, callSiphon } from "../support/programs.ts";

const stack = new AsyncDisposableStack();
let cluster: LocalCluster;
const image = "workers/image";

before(async () => {
  cluster = await LocalCluster.up({
    ...{
      name: "cli-workers",
      osds: 1,
      replicas: 1,
      store: "memstore",
      pgs: 8,
      auth: "cephx",
      wire: "secure",
    },
  });
  stack.defer(() => cluster.down());
  await cluster.admin.command(["osd", "pool", "create", "workers", "8"]);
  await succeed("pool", "init", "workers");
  await succeed("create", image, "--size", "16M", "--object-size", "1M");
});

after(() => stack.disposeAsync());

test("a sequential load by two workers covers the whole image, over encrypted connections", async () => {
  const load = [
    "bench",
    image,
    "--io-type",
    "write",
    "--io-size",
    "64K",
    "--io-total",
    "16M",
    "--io-pattern",
    "full-seq",
  ];
  const plain = await succeed(...load, "--io-threads", "4", "--workers", "2");
  assert.match(plain, /^elapsed: \d+ {3}ops: 256 {3}ops\/sec: /m);
  const args = ["--conf", cluster.conf, "--name", "client.admin", "export", image, "-", "--no-progress"];
  const { code, stdout } = await call("rbd", args);
  assert.equal(code, 0);
  const written = Buffer.from(stdout, "latin1");
  assert.equal(written.length, 16 * 2 ** 20);
  for (let at = 0; at < written.length; at += 65_536) {
    assert.notDeepEqual(written.subarray(at, at + 4096), Buffer.alloc(4096), `at ${at}`);
  }
});

test("--scale prints the result for each number of workers", async () => {
  const load = [
    "bench",
    image,
    "--io-type",
    "read",
    "--io-pattern",
    "rand",
    "--io-total",
    "1M",
    "--scale",
    "3",
  ];
  const found = JSON.parse(await succeed(...load, "--format", "json"));
  const workers = found.steps.map((step: { workers: number }) => step.workers);
  assert.deepEqual([workers, found.io_threads_per_worker], [[1, 2, 3], 16]);
  assert.ok(found.steps.every((step: { ops_per_sec: number }) => step.ops_per_sec > 0));
  const table = await succeed(...load);
  assert.match(
    table,
    /^workers +ops\/sec +times one +CPU us\/op +times one +p50 us +p99 us\n1 .*\n2 .*\n3 .*\n/,
  );
});

test("two workers share the requests that arrive at a rate, and count latency from the arrival", async () => {
  const load = [
    "bench",
    image,
    "--io-type",
    "read",
    "--io-size",
    "4K",
    "--io-total",
    "400K",
    "--io-threads",
    "4",
  ];
  const rate = ["--rate", "200", "--arrivals", "poisson"];
  const found = JSON.parse(await succeed(...load, ...rate, "--workers", "2", "--format", "json"));
  assert.deepEqual([found.ops, found.rate, found.arrivals, found.behind], [100, 200, "poisson", 0]);
  assert.ok(found.latency_us.p50 > 0 && found.cpu_us_per_op > 0);
  const plain = await succeed(...load, "--rate", "1000");
  assert.match(plain, /^bench .* io_threads 4 rate 1000 \(fixed\) bytes 409600 /);
  assert.match(plain, /^latency from arrival, ms: p50: [\d.]+ .* cpu us\/op: [\d.]+$/m);
});

test("an invalid load by workers is refused before anything is done", async () => {
  const load = ["bench", image, "--io-type", "read", "--io-total", "1M"];
  for (const [flags, message] of [
    [["--workers", "0"], /invalid number of workers: 0/],
    [["--io-threads", "2", "--workers", "3"], /--io-threads is at least --workers/],
    [["--workers", "2", "--cache", "writeback"], /cannot have both workers and a cache/],
    [["--workers", "2", "--scale", "2"], /--scale says by itself/],
    [["--scale", "0"], /--scale is a number above 0/],
    [["--scale", "2", "--rate", "100"], /--scale measures how many requests there can be/],
    [["--rate", "0"], /--rate is a number above 0/],
    [["--arrivals", "poisson"], /--arrivals are those of a --rate/],
  ] as const) {
    const { code, stderr } = await callSiphon(["rbd", ...load, ...flags, "--conf", cluster.conf]);
    assert.equal(code, 22, stderr);
    assert.match(stderr, message);
  }
});

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await callSiphon(["rbd", ...args, "--conf", cluster.conf]);
  assert.equal(code, 0, stderr);
  return stdout;
}
