import { type Pool, ReadOperation, WriteOperation } from "@siphon/rados";
import { unless } from "../errors.ts";
import type { ClassCall } from "./class-call.ts";

type Values<Calls> = {
  -readonly [Name in keyof Calls]: Calls[Name] extends ClassCall<infer Value> ? Value : never;
};

/** Calls one method of an object. */
export async function ask<Value>(
  pool: Pool,
  object: string,
  { className, method, input, decode }: ClassCall<Value>,
): Promise<Value> {
  return decode(await pool.exec(object, className, method, input));
}

/**
 * Reads a list from an object, page by page; empty if the object does not exist.
 *
 * @param list requests up to `most` entries after the last known one
 */
export async function askPages<Entry>(
  pool: Pool,
  object: string,
  list: (last: Entry | undefined, most: number) => ClassCall<Iterable<Entry>>,
  most = 1024,
): Promise<Entry[]> {
  const all: Entry[] = [];
  for (;;) {
    const page = await ask(pool, object, list(all.at(-1), most)).catch(unless("ENOENT"));
    const known = all.length;
    all.push(...(page ?? []));
    if (all.length - known < most) return all;
  }
}

/** Calls several methods of an object in one operation. */
export async function askAll<const Calls extends readonly ClassCall<unknown>[]>(
  pool: Pool,
  object: string,
  calls: Calls,
): Promise<Values<Calls>> {
  const operation = new ReadOperation<unknown[]>();
  for (const { className, method, input } of calls) operation.exec(className, method, input);
  const { values } = await pool.operate(object, operation);
  return calls.map(({ decode }, i) => decode(values[i] as Buffer)) as Values<Calls>;
}

/** Changes an object by several methods, all or none. */
export async function changeAll(pool: Pool, object: string, calls: readonly ClassCall[]): Promise<void> {
  const operation = new WriteOperation<unknown[]>();
  addCalls(operation, calls);
  await pool.operate(object, operation);
}

export function addCalls(operation: WriteOperation<unknown[]>, calls: readonly ClassCall[]): void {
  for (const { className, method, input } of calls) operation.exec(className, method, input);
}
