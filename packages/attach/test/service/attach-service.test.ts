import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import type { DiskFigures, ServedPoint } from "../../src/server/attachment.ts";
import { formatImageSpec } from "../../src/server/image-spec.ts";
import { IoMetrics } from "../../src/server/io-metrics.ts";
import { AttachService } from "../../src/service/attach-service.ts";
import type { Worker } from "../../src/service/worker.ts";
import type { ShardTask } from "../../src/shards/messages.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-service-"));
after(() => rmSync(directory, { recursive: true }));

/** A worker that remembers what it serves; images called `missing` are not there. */
class MemoryWorker implements Worker {
  readonly state;
  readonly served = new Map<string, string>();
  readonly log: string[] = [];
  clients = 0;
  answers = true;

  constructor(shard: number) {
    this.state = { shard, isUp: true, restarts: 0 };
  }

  async start(): Promise<void> {}

  async carryOut(task: ShardTask): Promise<readonly ServedPoint[]> {
    await new Promise(setImmediate);
    this.log.push(`${task.do} ${task.part}`);
    if (task.do === "remove") this.served.delete(task.part);
    if (task.do !== "add") return [];
    assert.ok(!this.served.has(task.part));
    const image = formatImageSpec(task.request.images[0]!);
    if (image.endsWith("/missing")) throw new Error(`there is no image ${image}`);
    this.served.set(task.part, image);
    return [];
  }

  async measure(): Promise<DiskFigures[]> {
    if (!this.answers) return [];
    return [...this.served].map(([part, name]) => {
      const io = { ...new IoMetrics().figures, connections: this.clients };
      return { part, name, size: 1 << 20, io, limits: {} };
    });
  }

  async stop(): Promise<void> {
    this.served.clear();
  }

  kill(): void {}
}

interface Ground {
  service: AttachService;
  workers: MemoryWorker[];
  lost: (worker: Worker, how: string) => void;
  file: (name: string, isKept?: boolean) => string;
  lines: string[];
}

async function ground(name: string, count = 2): Promise<Ground> {
  const places = [join(directory, name, "kept"), join(directory, name, "runtime")] as const;
  const lines: string[] = [];
  const workers = Array.from({ length: count }, (_, i) => new MemoryWorker(i + 1));
  let lost!: Ground["lost"];
  const options = {
    ...{ keptDirectory: places[0], runtimeDirectory: places[1], drainTimeout: 60_000 },
    defaults: { socketDirectory: "/run/siphon", access: {} },
    log: (line: string) => void lines.push(line),
  };
  const service = await AttachService.start(options, (told) => {
    lost = told;
    return workers;
  });
  return {
    service,
    workers,
    lost,
    lines,
    file: (disk, isKept = true) => join(places[isKept ? 0 : 1], `${disk}.conf`),
  };
}

test("disks go to the process that serves the fewest, and have files that say whether they are kept", async () => {
  const { service, workers, file } = await ground("spread");
  for (const name of ["a", "b", "c", "d"]) await service.add(name, { image: `pool/${name}` }, name < "c");
  assert.deepEqual(
    workers.map(({ served }) => [...served.keys()]),
    [
      ["a", "c"],
      ["b", "d"],
    ],
  );
  assert.ok(existsSync(file("a")) && existsSync(file("c", false)) && !existsSync(file("c")));
  await service.remove("a", false);
  assert.equal((await service.add("e", { image: "pool/e" }, false)).shard, 1);
  assert.ok(!existsSync(file("a")));
});

test("of an add that fails nothing is left, and nothing is added twice", async () => {
  const { service, workers, file } = await ground("refused", 1);
  await assert.rejects(service.add("a", { image: "pool/missing" }, true), /no image/);
  assert.deepEqual(await service.list(), []);
  assert.ok(!existsSync(file("a")));
  const both = ["a", "b"].map((name) => service.add(name, { image: "pool/a" }, false));
  const ends = await Promise.allSettled(both);
  assert.deepEqual(ends.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  await assert.rejects(service.add("a", { image: "pool/b" }, false), /disk a already exists/);
  await assert.rejects(service.show("z"), /no disk z/);
  workers[0]!.clients = 1;
  await assert.rejects(service.remove("a", false), /a client is connected to a/);
  await service.remove("a", true);
  assert.deepEqual(await service.list(), []);
});

test("a disk whose shard does not answer is not taken from the VM that may use it", async () => {
  const { service, workers } = await ground("silent", 1);
  await service.add("a", { image: "pool/a" }, false);
  const [worker] = workers as [MemoryWorker];
  worker.answers = false;
  await assert.rejects(service.remove("a", false), /whether a client is connected to a is not known/);
  assert.ok(worker.served.has("a"));
  await service.remove("a", true);
  assert.ok(!worker.served.has("a"));
});

test("two files of one image: one disk is served, and the other as soon as the first has gone", async () => {
  const { service, workers, file } = await ground("twice");
  mkdirSync(dirname(file("a")), { recursive: true });
  writeFileSync(file("a"), "image = pool/a\n");
  writeFileSync(file("b"), "image = pool/a\n");
  writeFileSync(file("c"), "image = pool/a\nread-only = yes\n");
  const disks = await service.reload();
  const served = () => workers.flatMap((worker) => [...worker.served.keys()]).sort();
  assert.equal(served().length, 2);
  const failed = disks.find(({ state }) => state === "failed")!;
  const first = failed.name === "a" ? "b" : "a";
  assert.equal(failed.error, `pool/a is already served as ${first}`);
  rmSync(file(first));
  await service.reload();
  await service.resume(failed.name);
  assert.deepEqual(served(), [failed.name, "c"].sort());
});

test("an added disk equals its file: a reload changes nothing", async () => {
  const { service, workers } = await ground("words", 1);
  await service.add("a", { image: "pool/a", "encryption-passphrase-file": "/etc/key" }, true);
  const [worker] = workers as [MemoryWorker];
  worker.log.length = 0;
  await service.reload();
  assert.deepEqual(worker.log, []);
  for (const image of ["pool/a\u2028b", "pool/b ", "pool/\ud800"]) {
    await assert.rejects(service.add("b", { image }, true), /image has characters/);
  }
  const many = { image: "pool/b", "encryption-passphrase-file": new Array(3000).fill("/etc/key") };
  await assert.rejects(service.add("b", many, true), /at most 65536 bytes/);
});

test("it knows of its disks before they are served", async () => {
  const { service, workers, file } = await ground("known", 1);
  mkdirSync(dirname(file("b")), { recursive: true });
  for (const name of ["b", "c"]) writeFileSync(file(name), `image = pool/${name}\n`);
  const served = Promise.withResolvers<void>();
  const [worker] = workers as [MemoryWorker];
  const carryOut = worker.carryOut.bind(worker);
  worker.carryOut = async (task) => {
    await served.promise;
    return carryOut(task);
  };
  const reloaded = service.reload();
  await service.known;
  assert.deepEqual(
    (await service.list()).map(({ name, state }) => `${name} ${state}`),
    ["b starting", "c starting"],
  );
  served.resolve();
  await reloaded;
});

test("a reload changes what the files changed, and nothing else", async () => {
  const { service, workers, file, lines } = await ground("reload", 1);
  for (const name of ["same", "limited", "moved", "gone"])
    await service.add(name, { image: `pool/${name}` }, true);
  await service.add("runtime", { image: "pool/runtime" }, false);
  const [worker] = workers as [MemoryWorker];
  worker.log.length = 0;
  writeFileSync(file("limited"), "image = pool/limited\nlimit = iops=5\n");
  writeFileSync(file("moved"), "image = pool/moved\nvhost = /elsewhere.sock\n");
  writeFileSync(file("new"), "# mine\nimage = pool/new\n");
  writeFileSync(file("bad"), "nonsense\n");
  rmSync(file("gone"));
  const states = (await service.reload()).map(({ name, state }) => `${name} ${state}`);
  assert.deepEqual(worker.log.toSorted(), [
    "add moved",
    "add new",
    "limit limited",
    "remove gone",
    "remove moved",
  ]);
  assert.deepEqual(states, [
    ...["bad failed", "limited serving", "moved serving", "new serving", "runtime serving", "same serving"],
  ]);
  assert.match(lines.join("\n"), /bad\.conf is skipped: line 1/);
  // A disk whose file breaks goes on as it was.
  writeFileSync(file("new"), "nonsense\n");
  worker.log.length = 0;
  assert.deepEqual(worker.log, []);
  assert.ok((await service.reload()).some(({ name, state }) => name === "new" && state === "serving"));
  await service.remove("bad", false);
  assert.ok(!existsSync(file("bad")));
});

test("limits are written where the disk's file is its own business, or on demand", async () => {
  const { service, file } = await ground("limits", 1);
  await service.add("kept", { image: "pool/kept" }, true);
  await service.add("runtime", { image: "pool/runtime" }, false);
  writeFileSync(file("kept"), "# mine\nimage = pool/kept\n");
  await service.limit("kept", "iops=5", false);
  await service.limit("runtime", "iops=5", false);
  assert.equal(readFileSync(file("kept"), "utf8"), "# mine\nimage = pool/kept\n");
  assert.match(readFileSync(file("runtime", false), "utf8"), /^limit = iops=5$/m);
  await service.limit("kept", "iops=6", true);
  assert.equal(readFileSync(file("kept"), "utf8"), "# mine\nimage = pool/kept\nlimit = iops=6\n");
  await assert.rejects(service.limit("kept", "speed=6", true), /no limit speed/);
});

test("what a process that ended served is served again, and others do not notice", async () => {
  const { service, workers, lost } = await ground("lost");
  for (const name of ["a", "b"]) await service.add(name, { image: `pool/${name}` }, false);
  const [first, second] = workers as [MemoryWorker, MemoryWorker];
  first.served.clear();
  lost(first, "was killed by SIGKILL");
  assert.match((await service.show("a")).error ?? "", /its shard was killed by SIGKILL/);
  assert.equal((await service.reload())[0]!.state, "serving");
  assert.deepEqual([...first.served.keys()], ["a"]);
  assert.deepEqual(second.log, ["add b"]);
});

test("whatever is asked at once, disks and files agree in the end", async () => {
  const { service, workers, file } = await ground("races");
  const names = ["a", "b", "c", "d"];
  for (let round = 0; round < 40; round++) {
    const asked = names.flatMap((name) => [
      service.add(name, { image: `pool/${name}` }, round % 2 === 0),
      ...(Math.random() < 0.5 ? [service.remove(name, true)] : []),
      ...(Math.random() < 0.5 ? [service.drain(name)] : []),
      ...(Math.random() < 0.5 ? [service.reload()] : []),
      ...(Math.random() < 0.5 ? [service.limit(name, `iops=${round + 1}`, true)] : []),
    ]);
    await Promise.allSettled(asked);
  }
  const listed = await service.reload();
  const served = workers.flatMap((worker) => [...worker.served.keys()]).sort();
  assert.deepEqual(
    listed.map(({ name, state }) => `${name} ${state}`),
    served.map((name) => `${name} serving`),
  );
  for (const name of names) {
    assert.equal(existsSync(file(name)) || existsSync(file(name, false)), served.includes(name), name);
  }
});
