import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cluster } from "@siphon/rados";
import { ImagePool } from "@siphon/rbd";
import type { Answer } from "../../../../cli/test/support/rbd-in-process.ts";
import { RbdWorker } from "../../../../cli/test/support/rbd-worker.ts";
import { differing, type Part } from "./compare.ts";
import { accountedFor, type Difference } from "./differences.ts";
import { makeState } from "./state.ts";

/** Names of equal length, so that columns have the same width in both pools. */
const pools = { ours: "pool-a", theirs: "pool-b" };
type Side = keyof typeof pools;

/** A command line with two different results. */
export interface Finding {
  readonly line: string;
  readonly parts: readonly Part[];
  readonly ours: Answer;
  readonly theirs: Answer;
  /** The deliberate difference that explains the whole finding. */
  readonly differences: readonly Difference[];
}

export interface CampaignOptions {
  conf: string;
  lines: readonly string[];
  report?: (finding: Finding) => void;
}

/** Gives command lines to `siphon rbd` and to `rbd`, each in a pool of its own, and both pools in the same state. */
export async function runCampaign({ conf, lines, report }: CampaignOptions): Promise<Finding[]> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await Cluster.connect({ conf, name: "client.admin", env: {} }));
  const worker = stack.use(new RbdWorker());
  const directory = await mkdtemp(join(tmpdir(), "siphon-lines-"));
  stack.defer(() => rm(directory, { recursive: true }));
  for (const pool of Object.values(pools)) {
    await cluster.createPool({ name: pool, pgs: 4, application: "rbd" });
  }
  const release = Number(/version (\d+)/.exec((await rbd(["--version"])).stdout)?.[1]);
  const findings: Finding[] = [];
  let stale = true;
  for (const line of lines) {
    if (stale) await Promise.all(Object.values(pools).map((pool) => makeState(cluster, pool)));
    await makeFiles(directory);
    const [ours, theirs] = await Promise.all([
      argumentsFor("ours", line).then((args) => worker.call([...args, ...connection(conf)])),
      argumentsFor("theirs", line).then((args) => rbd([...args, ...connection(conf)])),
    ]);
    const parts = differing({ ours, theirs });
    stale = parts.length > 0 || (ours.code === 0 && !isLook.test(line));
    if (parts.length === 0) continue;
    const known = parts.map((part) => accountedFor(line, { ours, theirs }, part, release));
    const differences = known.some((each) => each === undefined) ? [] : (known as Difference[]);
    const finding = { line, parts, ours, theirs, differences };
    findings.push(finding);
    report?.(finding);
  }
  return findings;

  async function argumentsFor(side: Side, line: string): Promise<string[]> {
    const pool = pools[side];
    const words = line.split(" ").map(async (word) => {
      if (isFile.test(word)) return word.replace(isFile, (name) => join(directory, `${side}-${name}`));
      const [, image] = /ID:(\w+)/.exec(word) ?? [];
      const known = image === undefined ? word : word.replace(/ID:\w+/, await idOf(pool, image));
      return known.replace(/^P(?=$|\/)/, pool);
    });
    return Promise.all(words);
  }

  async function idOf(pool: string, name: string): Promise<string> {
    const images = await ImagePool.open(cluster, pool);
    const all = [...(await images.list()), ...(await images.trash.list())];
    return all.find((each) => each.name === name)?.id ?? "gone";
  }
}

const isFile = /^(FILE|NEWFILE|OUT|GARBAGE|DIFF|NOFILE|DIRECTORY|NODIRECTORY)(?=$|\/)/;
/** Verbs that only read. */
const isLook =
  /^(ls|info|status|children|du|diff|snap ls|object-map check|export|export-diff|merge-diff|lock ls|trash ls|image-meta (list|get)|config \w+ (ls|get)|group (ls|info|image ls|snap ls|snap info)|namespace ls|pool stats|mirror|trash purge schedule ls|bench|device|journal|migration)\b/;

function connection(conf: string): string[] {
  return ["--conf", conf, "--name", "client.admin"];
}

/** Input files are the same for both programs; output files do not exist beforehand. */
async function makeFiles(directory: string): Promise<void> {
  for (const side of Object.keys(pools)) {
    const file = (name: string) => join(directory, `${side}-${name}`);
    for (const name of ["NEWFILE", "OUT"]) await rm(file(name), { force: true });
    await writeFile(file("FILE"), Buffer.alloc(1 << 20, 5));
    await writeFile(file("GARBAGE"), "rbd diff v1\nthis is none");
    await writeFile(file("DIFF"), diff);
    await rm(file("DIRECTORY"), { recursive: true, force: true });
    await mkdir(file("DIRECTORY"));
  }
}

/** A diff from nothing to snapshot `t` of 8 MiB, with 4 KiB of data at 1 MiB. */
const diff = Buffer.concat([
  Buffer.from("rbd diff v1\n"),
  tagged("t", Buffer.from([1, 0, 0, 0]), Buffer.from("t")),
  tagged("s", numbers(8 << 20)),
  tagged("w", numbers(1 << 20, 4096), Buffer.alloc(4096, 3)),
  Buffer.from("e"),
]);

function tagged(tag: string, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(tag), ...parts]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 8 * index);
  return bytes;
}

/** Kills rbd after a while: some command lines make it wait forever. */
function rbd(args: readonly string[]): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const options = { encoding: "latin1", maxBuffer: 2 ** 26, timeout: 30_000, killSignal: "SIGKILL" } as const;
  const child = execFile("rbd", args, options, (error, stdout, stderr) => {
    resolve({
      code: typeof error?.code === "number" ? error.code : error === null ? 0 : 137,
      stdout,
      stderr,
    });
  });
  child.stdin?.end();
  return promise;
}
