import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { printedTimes } from "../support/printed-times.ts";
import { main } from "../support/programs.ts";
import { clientLines } from "../support/rbd-client-lines.ts";
import { commandLines } from "../support/rbd-command-lines.ts";
import type { Answer } from "../support/rbd-in-process.ts";
import { RbdWorker } from "../support/rbd-worker.ts";

const execute = promisify(execFile);
/** Names of equal length, so that columns have the same width in both pools. */
const pools = { ours: "pool-a", theirs: "pool-b" };
const stack = new AsyncDisposableStack();
let cluster: LocalCluster;
/** The release of the rbd that siphon is compared with. */
let release: number;
let worker: RbdWorker;
let directory: string;

before(async () => {
  cluster = await LocalCluster.up({
    name: "rbd-lines",
    osds: 1,
    replicas: 1,
    store: "memstore",
    pgs: 8,
    mgrModules: true,
  });
  stack.defer(() => cluster.down());
  worker = stack.use(new RbdWorker());
  release = Number(/version (\d+)/.exec((await execute("rbd", ["--version"])).stdout)?.[1]);
  directory = await mkdtemp(join(tmpdir(), "siphon-lines-"));
  stack.defer(() => rm(directory, { recursive: true }));
  for (const pool of Object.values(pools)) {
    await execute("ceph", ["--conf", cluster.conf, "osd", "pool", "create", pool, "8"]);
    await execute("rbd", ["--conf", cluster.conf, "--name", "client.admin", "pool", "init", pool]);
  }
});

after(() => stack.disposeAsync());

/** Command lines per test: a test has a time limit, and the rbd of a root starts slowly. */
const lines = commandLines.trim().split("\n");
const atOnce = 75;
for (let first = 0; first < lines.length; first += atOnce) {
  const some = lines.slice(first, first + atOnce);
  test(`command lines print and exit like rbd's, from ${first + 1} to ${first + some.length}`, async (t) => {
    for (const line of some) await sameAnswer(t, line);
  });
}

for (const [program, text] of Object.entries(clientLines)) {
  test(`command lines of ${program} print and exit like with rbd`, async (t) => {
    // Ceph 20 no longer has the option auth_supported; siphon still accepts it.
    const lines = release < 20 ? text : text.replaceAll("--auth_supported none ", "");
    for (const line of lines.trim().split("\n")) await sameAnswer(t, line);
  });
}

test("the images left by these command lines are the same to rbd", async () => {
  // Since Ceph 17, `rbd bench` writes random data.
  const content = release < 17 ? sha1 : occupancy;
  assert.deepEqual(await state("ours", content), await state("theirs", content));
});

test("the manager reports the images' current I/O, and siphon shows it like rbd", async (t) => {
  const image = `${pools.ours}/busy`;
  await rbd(["create", image, "--size", "64M"]);
  const load = [
    "bench",
    image,
    "--io-type",
    "write",
    "--io-size",
    "4K",
    "--io-total",
    "1T",
    "--io-pattern",
    "rand",
  ];
  const busy = spawn("rbd", ["--conf", cluster.conf, "--name", "client.admin", ...load], {
    ...{ stdio: "ignore", timeout: 900_000 },
  });
  const ended = once(busy, "close");
  try {
    // If there is no I/O, this command waits for some.
    const { code, stderr } = await rbd(["perf", "image", "iostat", pools.ours, "--iterations", "1"]);
    if (code !== 0) {
      await assert.rejects(
        siphonOnce("perf", "image", "iostat", pools.ours),
        /its module rbd_support is not running/,
      );
      return t.skip(`this manager cannot: ${stderr}`);
    }
    const options = ["--iterations", "1", "--format", "json"];
    const iostat = ["perf", "image", "iostat", pools.ours, ...options];
    const top = ["top", pools.ours, ...options];
    const ours = await whileBusy(async () => JSON.parse(await siphonOnce(...iostat)));
    const theirs = await whileBusy(async () => JSON.parse((await rbd(iostat)).stdout));
    assert.deepEqual(Object.keys(ours), Object.keys(theirs));
    const topmost = await whileBusy(async () => JSON.parse(await siphonOnce(...top)).images);
    for (const found of [ours, theirs, topmost]) {
      assert.equal(`${found.pool}/${found.image}`, image);
      assert.ok(Number(found.write_bytes) > Number(found.write_ops) && Number(found.write_latency) > 0);
    }
    let lines: string[];
    do lines = (await siphonOnce("top", pools.ours, "--iterations", "1")).split("\n");
    while (!lines[1]?.includes("busy"));
    assert.match(lines[0]!, /^ *>WRITES +READS .* IMAGE *$/);
    assert.match(lines[1]!, /\/s .* [mun]?s .* busy *$/);
  } finally {
    busy.kill("SIGKILL");
    await ended;
  }
});

async function sameAnswer(t: TestContext, line: string): Promise<void> {
  const [, since, rest] = /^(?:(\d+):)?(.*)$/.exec(line)!;
  const words = rest!.replace("!", "").split(" ");
  const isForBoth = line.startsWith("!");
  // Without this variable rbd no longer creates images of format 1.
  const env = { ...process.env, RBD_FORCE_ALLOW_V1: "1" };
  const run = isForBoth ? (args: string[]) => rbd(args, { env }) : siphon;
  if (since !== undefined && release < Number(since)) {
    const { code, stderr } = await siphon(await argumentsFor("ours", words));
    await t.test(`${line}, by siphon alone`, () => assert.ok(code === 0 || stderr !== "", stderr));
    return;
  }
  const [ours, theirs] = await Promise.all([
    argumentsFor("ours", words).then((args) => run(args)),
    argumentsFor("theirs", words).then((args) => (isForBoth ? run(args) : rbd(args))),
  ]);
  await t.test(line, () => {
    assert.equal(ours.code, theirs.code, `${ours.stderr}\nrbd: ${theirs.stderr}`);
    if (!isForBoth) assert.equal(comparable(ours.stdout), comparable(theirs.stdout));
  });
}

function siphon(args: string[]): Promise<Answer> {
  return worker.call([...args, "--conf", cluster.conf]);
}

type Counters = Record<string, string | number>;

/** The busiest image, once it is seen being written to: on a slow machine some periods contain no writes. */
async function whileBusy(ask: () => Promise<Counters[]>): Promise<Counters> {
  for (;;) {
    const [found] = await ask();
    if (Number(found?.write_ops) > 0) return found!;
  }
}

async function siphonOnce(...args: string[]): Promise<string> {
  const all = [main, "rbd", ...args, "--conf", cluster.conf];
  return (await execute(process.execPath, all, { timeout: 120_000 })).stdout;
}

function argumentsFor(side: keyof typeof pools, words: string[]): Promise<string[]> {
  return Promise.all(
    words.map((word) => {
      if (/^FILE\d?$/.test(word)) return join(directory, word + side);
      const [, image, snapshot] = /^ID:(\w+)(?:@(\w+))?$/.exec(word) ?? [];
      if (image !== undefined) return idOf(pools[side], image, snapshot);
      return word.replace(/^P(?=$|\/)/, pools[side]);
    }),
  );
}

/** The id of a snapshot, or of an image, which may be in the trash. */
async function idOf(pool: string, image: string, snapshot: string | undefined): Promise<string> {
  const ask = async (...args: string[]) => JSON.parse((await rbd([...args, "--format", "json"])).stdout);
  const named = (name: string) => (each: { name: string }) => each.name === name;
  if (snapshot !== undefined)
    return String((await ask("snap", "ls", `${pool}/${image}`)).find(named(snapshot)).id);
  return ((await ask("trash", "ls", pool)).find(named(image)) ?? (await ask("info", `${pool}/${image}`))).id;
}

/** rbd 16.2 sometimes crashes in `du` when it closes images one after the other; the call is then repeated. */
async function rbd(
  args: string[],
  { attempts = args[0] === "du" ? 3 : 1, env = process.env } = {},
): Promise<Answer> {
  const all = [...args, "--conf", cluster.conf, "--name", "client.admin"];
  try {
    return { code: 0, ...(await execute("rbd", all, { maxBuffer: 2 ** 26, env })) };
  } catch (error) {
    const { signal } = error as { signal?: string };
    return signal && attempts > 1 ? rbd(args, { attempts: attempts - 1, env }) : (error as Answer);
  }
}

/** Removes what differs between any two images: pools, ids, times. */
function comparable(text: string): string {
  // The lengths of ids vary, and so do columns with group snapshots. The order in which images get their parts is random.
  const even = /\.group\.|^ID +NAME +STATE/.test(text) ? text.replaceAll(/ +/g, " ") : text;
  return even
    .replaceAll(/\.group\.\w+/g, "PART")
    .replaceAll(/\d+(?= PART|,\s*"name": ?"PART|<\/id><name>PART)/g, "N")
    .replaceAll(/pool-[ab]/g, "POOL")
    .replaceAll(/\brb\.0\.[0-9a-f]+\.[0-9a-f]+/g, "PREFIX")
    .replaceAll(/(?<="(?:group_)?id": ?"|\tid: |rbd_data\.|<(?:group_)?id>|^)[0-9a-f]{10,16}\b/gm, "ID")
    .replaceAll(printedTimes, "TIME")
    .replaceAll(/client\.\d+|127\.0\.0\.1:\d+\/\d+/g, "CLIENT");
}

/** rbd's output for every image of a pool, and a checksum of its data. */
async function state(side: keyof typeof pools, summary: (content: string) => string): Promise<unknown> {
  const pool = pools[side];
  const names = JSON.parse((await rbd(["ls", pool, "--format", "json"])).stdout) as string[];
  const images: unknown[] = [];
  for (const name of names) {
    const image = `${pool}/${name}`;
    const described = [];
    for (const command of [["info"], ["snap", "ls", "--all"], ["diff"], ["lock", "ls"]]) {
      described.push(comparable((await rbd([...command, image, "--format", "json"])).stdout));
    }
    const isSmall = (JSON.parse(described[0]!) as { size: number }).size < 2 ** 27;
    const content = isSmall ? (await rbd(["export", image, "-", "--no-progress"])).stdout : "";
    const checked = await rbd(["object-map", "check", image, "--no-progress"]);
    const errors = [...checked.stderr.matchAll(/([0-9a-f]{16}) marked as .*/g)].map(([error]) => error);
    images.push({ name, described, content: summary(content), errors });
  }
  return images;
}

function sha1(content: string): string {
  return createHash("sha1").update(content).digest("hex");
}

/** The blocks of 4096 bytes that contain data. */
function occupancy(content: string): string {
  const blocks = content.match(/[\s\S]{1,4096}/g) ?? [];
  return blocks.map((block) => (/[^\0]/.test(block) ? "x" : ".")).join("");
}
