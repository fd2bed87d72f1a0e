import { hostname } from "node:os";
import { Reader, Writer } from "@siphon/wire";
import { RadosError } from "../../errors.ts";
import type { Pool } from "../pool.ts";
import { type LoadOptions, type LoadResult, runLoad } from "./load.ts";

/** The record of a run, kept in an object: later runs read it and clean it up. */
export interface BenchRun {
  /** Process id of the writer; a part of the objects' names. */
  pid: number;
  objectBytes: number;
  opBytes: number;
  /** Operations that were finished. */
  ops: number;
}

export type BenchOptions = Omit<LoadOptions, "opBytes">;

/** The default object for the record of the last run. */
export const defaultRunName = "benchmark_last_metadata";
const namePrefix = "benchmark_data";

/** The names of a run's objects begin with this. */
export function benchPrefix(pid: number): string {
  return `${namePrefix}_${hostname()}_${pid}`;
}

/** Writes objects as `rados bench write` does, with compatible names and contents. */
export async function benchWrite(
  pool: Pool,
  runName: string,
  { objectBytes, opBytes, pid }: Omit<BenchRun, "ops">,
  options: BenchOptions,
): Promise<LoadResult> {
  const { signal } = options;
  const opsAnObject = Math.floor(objectBytes / opBytes);
  const contents = Array.from({ length: options.concurrency }, () => Buffer.alloc(opBytes, filler));
  const write = async (index: number) => {
    const data = contents.pop() ?? Buffer.alloc(opBytes, filler);
    label(data, index);
    const object = objectName(pid, Math.floor(index / opsAnObject));
    await pool.write(object, opBytes * (index % opsAnObject), data, { signal });
    contents.push(data);
  };
  const result = await runLoad(write, { ...options, opBytes });
  const run = { pid, objectBytes, opBytes, ops: result.finished };
  await pool.writeFull(runName, encodeRun(run), { signal });
  return result;
}

/** Reads a run's objects, sequentially until all are read, or at random until the time is up. */
export async function benchRead(
  pool: Pool,
  kind: "seq" | "rand",
  { pid, objectBytes, opBytes, ops }: BenchRun,
  { verify, ...options }: BenchOptions & { verify: boolean },
): Promise<LoadResult> {
  const opsAnObject = Math.floor(objectBytes / opBytes);
  const expected = Buffer.alloc(opBytes, filler);
  const { signal } = options;
  const read = async (index: number) => {
    const op = kind === "seq" ? index : Math.floor(Math.random() * ops);
    const object = objectName(pid, Math.floor(op / opsAnObject));
    const range = { offset: opBytes * (op % opsAnObject), length: opBytes };
    const data = await pool.read(object, { ...range, signal });
    if (!verify) return;
    label(expected, op);
    if (!data.equals(expected))
      throw new RadosError("EIO", `object ${object} does not have the data that was written`);
  };
  const limit = kind === "seq" ? ops : Number.POSITIVE_INFINITY;
  return runLoad(read, { ...options, limit, opBytes });
}

/** The last run of this name; undefined if there is none. */
export async function findBenchRun(pool: Pool, runName: string): Promise<BenchRun | undefined> {
  try {
    return decodeRun(await pool.read(runName));
  } catch (error) {
    if (error instanceof RadosError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes a run's objects. Returns their number. */
export async function removeBenchRun(
  pool: Pool,
  runName: string,
  { pid, objectBytes, opBytes, ops }: BenchRun,
  signal?: AbortSignal,
): Promise<number> {
  const objects = Math.ceil(ops / Math.floor(objectBytes / opBytes));
  const removed = await removeAll(pool, objectNames(pid, objects), signal);
  await pool.remove(runName, { signal });
  return removed;
}

/** Removes all objects whose names begin with the prefix; by default that of all runs. */
export async function removeBenchObjects(
  pool: Pool,
  prefix = namePrefix,
  signal?: AbortSignal,
): Promise<number> {
  const names: string[] = [];
  for await (const { name } of pool.listObjects({ signal })) if (name.startsWith(prefix)) names.push(name);
  return removeAll(pool, names.values(), signal);
}

/** u64 bytes of an object, i32 operations, i32 process, u64 bytes of an operation (src/common/obj_bencher.cc). */
function encodeRun({ objectBytes, ops, pid, opBytes }: BenchRun): Buffer {
  return new Writer().u64(objectBytes).i32(ops).i32(pid).u64(opBytes).finish();
}

/** Old runs had one operation per object, and did not record it. */
function decodeRun(bytes: Buffer): BenchRun {
  const r = new Reader(bytes, "record of a benchmark");
  const objectBytes = r.u64Number();
  const [ops, pid] = [r.i32(), r.i32()];
  return { objectBytes, ops, pid, opBytes: r.remaining > 0 ? r.u64Number() : objectBytes };
}

function objectName(pid: number, number: number): string {
  return `${benchPrefix(pid)}_object${number}`;
}

/** The content of each operation besides its label. */
const filler = "z";

/** Makes the contents of each operation different. */
function label(data: Buffer, index: number): void {
  data.write(`I'm the ${String(index).padStart(16)}th op!\0`);
}

function* objectNames(pid: number, objects: number): Generator<string> {
  for (let number = 0; number < objects; number++) yield objectName(pid, number);
}

async function removeAll(pool: Pool, names: Iterator<string>, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  const work = async () => {
    for (let next = names.next(); !next.done; next = names.next()) {
      await pool.remove(next.value, { signal });
      removed++;
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return removed;
}
