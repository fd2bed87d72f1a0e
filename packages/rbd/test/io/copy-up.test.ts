import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObjectRequest } from "@siphon/rados/engine";
import { ImageIo } from "../../src/io/image-io.ts";
import { ObjectMap } from "../../src/object-map/object-map.ts";
import { objectState } from "../../src/object-map/object-state.ts";
import { ObjectStates } from "../../src/object-map/object-states.ts";
import { UpdateRequest } from "../../src/object-map/update-request.ts";
import { imageState } from "../support/image-states.ts";
import { MemoryOsd } from "../support/memory-osd.ts";
import { Requests } from "../support/requests.ts";

/** A clone of a parent whose first object has data, with a snapshot and an object map that knows of no objects. */
async function openClone() {
  const osd = new MemoryOsd();
  const parent = new ImageIo({ objecter: osd, state: imageState({ id: "p" }) });
  await new Requests(parent).write(0, Buffer.alloc(64, 7));
  const steps: string[] = [];
  const objecter = {
    submit(request: ObjectRequest) {
      const change = request instanceof UpdateRequest ? ` says ${request.change.state}` : "";
      steps.push(`${request.target.name}${change}`);
      osd.submit(request);
    },
  };
  const link = { poolId: 1, namespace: "", imageId: "p", snapId: 1, overlap: 256 };
  const taken = { id: 5, name: "s", size: 256, flags: 0, isProtected: false, parent: link };
  const state = imageState({
    ...{ id: "c", parent: link, features: 61, snapContext: { seq: 5, snaps: [5] } },
    snapshots: new Map([[5, taken]]),
  });
  const io = new ImageIo({ objecter, state });
  io.parent = parent;
  const where = { poolId: 1, namespace: "", imageId: "c" };
  const states = new ObjectStates(4);
  io.objectMap = new ObjectMap({ objecter, ...where, states, onInvalid: async () => {} });
  return { io, osd, states, steps };
}

test("an object that is copied up is there for its snapshots, and may be there for the image, before it is; last of all it is there", async () => {
  const { io, osd, steps } = await openClone();
  await io.copyUp(0);
  assert.deepEqual(steps, [
    "rbd_object_map.c.0000000000000005 says 1",
    "rbd_object_map.c says 2",
    "rbd_data.c.0000000000000000",
    "rbd_object_map.c says 3",
  ]);
  assert.deepEqual(osd.objects.get("rbd_data.c.0000000000000000"), Buffer.alloc(64, 7));
});

test("nothing is copied up that a snapshot's map would deny: where it is not told, the copy-up fails", async () => {
  const { io, osd } = await openClone();
  osd.fault = (name) => (name === "rbd_object_map.c.0000000000000005" ? -110 : undefined);
  await assert.rejects(io.copyUp(0));
  assert.equal(osd.objects.has("rbd_data.c.0000000000000000"), false);
});

test("where the parent has only zeros nothing is copied up, and the map is told nothing", async () => {
  const { io, osd, steps } = await openClone();
  await io.copyUp(1);
  assert.deepEqual(steps, []);
  assert.equal(osd.objects.size, 1);
});

test("an object that somebody who died may have copied up is copied up, and then marked", async () => {
  const { io, osd, states } = await openClone();
  states.set(0, objectState.pending);
  osd.objects.set("rbd_data.c.0000000000000000", Buffer.alloc(64, 7));
  await io.copyUp(0);
  assert.equal(states.get(0), objectState.existsClean);
});

test("an object that is not there is copied up, whatever the map says", async () => {
  const { io, osd, states } = await openClone();
  states.set(0, objectState.exists);
  await io.copyUp(0);
  assert.ok(osd.objects.has("rbd_data.c.0000000000000000"));
});

test("writes are carried out in the order in which they came, also where one that was sent off waits for a copy-up after later ones", async () => {
  const osd = new MemoryOsd();
  const parent = new ImageIo({ objecter: osd, state: imageState({ id: "p" }) });
  await new Requests(parent).write(0, Buffer.alloc(64, 7));
  const link = { poolId: 1, namespace: "", imageId: "p", snapId: 1, overlap: 256 };
  const io = new ImageIo({ objecter: osd, state: imageState({ id: "c", parent: link }) });
  io.parent = parent;
  const requests = new Requests(io);
  const turn = () => new Promise(setImmediate);
  const sent: ObjectRequest[] = [];
  osd.held = sent;
  const begun = [requests.write(0, Buffer.alloc(16, 1)), requests.write(16, Buffer.alloc(16, 2))];
  const [first, second] = sent.splice(0);
  // It finds no object: what comes now waits for the copy-up, and the second write does not know of it yet.
  first!.completed();
  begun.push(requests.write(16, Buffer.alloc(16, 3)));
  await turn();
  // The parent was read; then the second write is told that there was no object.
  for (const request of sent.splice(0)) request.completed();
  await turn();
  second!.completed();
  const all = Promise.all(begun);
  let done = false;
  void all.then(() => {
    done = true;
  });
  while (!done) {
    for (const request of sent.splice(0)) request.completed();
    await turn();
  }
  assert.deepEqual(await all, [0, 0, 0]);
  const found = osd.objects.get("rbd_data.c.0000000000000000")!;
  assert.deepEqual([found[0], found[16], found[32]], [1, 3, 7]);
});
