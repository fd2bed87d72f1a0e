/**
 * The cost for a read of a clone to confirm that its parent still exists, when the OSD has no object of the clone:
 * requests to the header, and client CPU, at several depths. The OSD is a simulated one, which answers in the next turn
 * of the event loop.
 */
import type { ObjectRequest } from "@siphon/rados/engine";
import { ImageIo } from "../../../rbd/src/io/image-io.ts";
import { Presence } from "../../../rbd/src/io/presence.ts";
import { BufferRequest } from "../../../rbd/src/io/promise-request.ts";
import { imageState } from "../../../rbd/test/support/image-states.ts";
import { begin, count } from "../../program.ts";

const values = await begin(
  "bench:absent-objects",
  "The cost for a read of a clone to confirm that its parent still exists.",
  {
    reads: count("reads of each run", 40_000),
  },
);
const { reads } = values;
const [objectSize, size] = [4096, 2 ** 20];
const shape = { objectSize, stripeUnit: objectSize, size };
const repeats = 6;

const osd = {
  submit(request: ObjectRequest) {
    request.result = -2;
    setImmediate(() => request.completed());
  },
};

const rows: Record<string, Record<string, number>> = {};
for (const depth of [1, 32, 128]) {
  const cpu: Record<"with" | "without", number[]> = { with: [], without: [] };
  let questions = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    questions = 0;
    const presence = new Presence(async () => {
      questions++;
      await new Promise(setImmediate);
    });
    cpu.with.push(await microseconds(openClone(presence), depth));
    cpu.without.push(await microseconds(openClone(undefined), depth));
  }
  const least = (all: readonly number[]) => Number(Math.min(...all.slice(1)).toFixed(1));
  rows[`depth ${depth}`] = {
    "questions a read": Number((questions / reads).toFixed(3)),
    "CPU us a read": least(cpu.with),
    "CPU us a read, unconfirmed": least(cpu.without),
  };
}
console.table(rows);

function openClone(presence: Presence | undefined): ImageIo {
  const snapshot = { id: 1, name: "s", size, flags: 0, isProtected: false, parent: undefined };
  const parent = new ImageIo({
    ...{ objecter: osd, snapId: 1, ...(presence && { presence }) },
    state: imageState({ id: "p", ...shape, snapshots: new Map([[1, snapshot]]) }),
  });
  const link = { poolId: 1, namespace: "", imageId: "p", snapId: 1, overlap: size };
  const clone = new ImageIo({ objecter: osd, state: imageState({ id: "c", ...shape, parent: link }) });
  clone.parent = parent;
  return clone;
}

/** CPU per read. */
async function microseconds(clone: ImageIo, depth: number): Promise<number> {
  let left = reads;
  const bytes = Buffer.alloc(objectSize);
  const read = (offset: number) =>
    new Promise<void>((resolve, reject) =>
      clone.read(new BufferRequest(offset, objectSize, bytes, { resolve, reject })),
    );
  const reader = async () => {
    while (left-- > 0) await read(objectSize * (left % (size / objectSize)));
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: depth }, reader));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / reads;
}
