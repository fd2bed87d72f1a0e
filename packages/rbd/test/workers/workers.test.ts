import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { opCode } from "@siphon/rados/engine";
import { Random } from "../../../rados/test/support/random.ts";
import { ImageIo } from "../../src/io/image-io.ts";
import { objectState } from "../../src/object-map/object-state.ts";
import { ObjectStates } from "../../src/object-map/object-states.ts";
import { imageState } from "../support/image-states.ts";
import { MemoryOsd } from "../support/memory-osd.ts";
import { Requests } from "../support/requests.ts";
import { quiet, WorkerRig } from "../support/worker-rig.ts";

const bytes = (value: number) => Buffer.alloc(16, value);

test("what one worker writes the others read, and the owner", async () => {
  using rig = await WorkerRig.open(2);
  const [one, two] = rig.workers;
  await one!.image.write(0, bytes(1));
  await two!.image.write(64, bytes(2));
  await rig.image.write(128, bytes(3));
  for (const image of [one!.image, two!.image, rig.image]) {
    for (const at of [0, 1, 2]) assert.deepEqual(await image.read(64 * at, 16), bytes(at + 1));
  }
  // What no map has costs no OSD anything.
  const asked = rig.osd.log.length;
  assert.deepEqual(await two!.image.read(192, 16), bytes(0));
  assert.equal(rig.osd.log.length, asked);
});

test("a pause ends when no worker writes any more, and what comes later goes by what the image is then", async () => {
  using rig = await WorkerRig.open(2);
  const [one, two] = rig.workers;
  await one!.image.write(0, bytes(1));
  one!.wire.held = [];
  const written = one!.image.write(0, bytes(2));
  await quiet();
  let paused = false;
  const pause = rig.owner.pauseWrites().then(() => {
    paused = true;
  });
  await quiet();
  const later = [one!.image.write(0, bytes(3)), two!.image.write(16, bytes(4))];
  let isLate = false;
  void later[1]!.then(() => {
    isLate = true;
  });
  await quiet();
  assert.deepEqual([paused, isLate], [false, false]);
  one!.wire.release();
  await written;
  await pause;
  const contexts: number[] = [];
  rig.osd.fault = (name) => {
    if (name.startsWith("rbd_data")) contexts.push(rig.owner.state.snapContext.seq);
    return undefined;
  };
  await rig.owner.follow(imageState({ snapContext: { seq: 7, snaps: [7] } }), undefined);
  assert.deepEqual(contexts, []);
  await rig.owner.resumeWrites();
  await Promise.all(later);
  assert.deepEqual(contexts, [7, 7]);
  for (const { io } of rig.workers) assert.equal(io.state.snapContext.seq, 7);
});

test("an object that the map denies is told to it once, by the owner, before it is written", async () => {
  using rig = await WorkerRig.open(2);
  const [one, two] = rig.workers;
  await Promise.all([one!.image.write(0, bytes(1)), two!.image.write(16, bytes(2))]);
  await one!.image.write(0, bytes(3));
  const names = rig.osd.log.map(({ name }) => name.split(".")[0]);
  assert.deepEqual(names, ["rbd_object_map", "rbd_data", "rbd_data", "rbd_data"]);
  assert.deepEqual(rig.denied, [false, true, true, true]);
});

test("an object is removed when the writes are done that others had sent because the map had it", async () => {
  using rig = await WorkerRig.open(2);
  const [one, two] = rig.workers;
  await one!.image.write(0, bytes(1));
  two!.wire.held = [];
  const written = two!.image.write(0, bytes(2));
  const discarded = one!.image.discard(0, 64);
  await quiet();
  const deletes = () => rig.osd.log.filter(({ codes }) => codes.includes(opCode.delete)).length;
  assert.deepEqual([two!.wire.held.length, deletes()], [1, 0]);
  two!.wire.release();
  await Promise.all([written, discarded]);
  assert.equal(deletes(), 1);
  assert.deepEqual(rig.denied, rig.missing);
  assert.deepEqual(await two!.image.read(0, 16), bytes(0));
});

test("a write that comes while another worker removes the object makes it anew, and the map does not deny it", async () => {
  using rig = await WorkerRig.open(2);
  const [one, two] = rig.workers;
  await one!.image.write(0, bytes(1));
  one!.wire.held = [];
  const discarded = one!.image.discard(0, 64);
  await quiet();
  assert.equal(one!.wire.held.length, 1);
  await two!.image.write(0, bytes(2));
  one!.wire.release();
  await discarded;
  assert.deepEqual(rig.denied[0], false);
});

test("a map that is not gone by any more hides nothing from workers that do not know yet", async () => {
  using rig = await WorkerRig.open(1);
  const [worker] = rig.workers;
  await new Requests(new ImageIo({ objecter: rig.osd, state: imageState() })).write(0, bytes(5));
  const hidden = worker!.image.read(0, 16);
  assert.deepEqual(await hidden, bytes(0));
  rig.owner.useMap(undefined);
  // In the same turn: no message has reached it.
  assert.deepEqual(await worker!.image.read(0, 16), bytes(5));
  await worker!.image.write(64, bytes(6));
  const states = new ObjectStates(4);
  states.fill(objectState.exists);
  rig.useMap(states);
  await quiet();
  await worker!.image.discard(64, 64);
  assert.deepEqual(rig.denied, [false, true, false, false]);
});

test("the first write has the owner get the lock; one that was given away before the worker heard of it is got again", async () => {
  using rig = await WorkerRig.open(2);
  const [one, two] = rig.workers;
  rig.lock = { owned: false };
  let gets = 0;
  rig.ensure = async () => {
    gets++;
    rig.lock!.owned = true;
    rig.owner.setOwner(true);
    if (gets > 1) return;
    // Given away in the same turn.
    rig.lock!.owned = false;
    rig.owner.setOwner(false);
  };
  await one!.image.write(0, bytes(1));
  assert.equal(gets, 2);
  await two!.image.write(0, bytes(2));
  assert.equal(gets, 2);
  rig.owner.setOwner(false);
  await quiet();
  await Promise.all([one!.image.write(0, bytes(1)), two!.image.write(0, bytes(2))]);
  assert.ok([3, 4].includes(gets), `${gets}`);
});

test("once nothing is acknowledged any more, no worker acknowledges anything", async () => {
  using rig = await WorkerRig.open(2);
  const [one, two] = rig.workers;
  two!.wire.held = [];
  const underWay = two!.image.write(0, bytes(1));
  await quiet();
  rig.owner.failWrites(new Error("on the blocklist"));
  await quiet();
  two!.wire.release();
  assert.deepEqual(await Promise.all([underWay, one!.image.write(0, bytes(2))]), [-108, -108]);
});

test("a worker that is gone holds nothing up, and ends the image", async () => {
  using rig = await WorkerRig.open(2);
  const [one, two] = rig.workers;
  one!.wire.held = [];
  void one!.image.write(0, bytes(1));
  await quiet();
  const paused = rig.owner.pauseWrites();
  await quiet();
  one!.link.died(new Error("thrown"));
  await paused;
  assert.deepEqual(
    rig.deaths.map(({ code }) => code),
    ["SIPHON_RBD_WORKER"],
  );
  await rig.owner.resumeWrites();
  await two!.image.write(0, bytes(2));
});

test("two workers that write to an object of the parent's find its data behind what they wrote", async () => {
  const osd = new MemoryOsd();
  for (const snapshots of [false, true]) {
    const parent = new ImageIo({ objecter: osd, state: imageState({ id: "p" }) });
    await new Requests(parent).write(0, Buffer.alloc(64, 7));
    const link = { poolId: 1, namespace: "", imageId: "p", snapId: 1, overlap: 256 };
    const taken = { id: 5, name: "s", size: 256, flags: 0, isProtected: false, parent: link };
    const state = imageState({
      ...{ id: "c", parent: link, features: 61 },
      ...(snapshots && { snapContext: { seq: 5, snaps: [5] }, snapshots: new Map([[5, taken]]) }),
    });
    using rig = await WorkerRig.open(2, { state, parent });
    const name = "rbd_data.p.0000000000000000";
    rig.osd.objects.set(name, osd.objects.get(name)!);
    const [one, two] = rig.workers;
    for (const { wire } of rig.workers) wire.held = [];
    const written = [one!.image.write(0, bytes(1)), two!.image.write(16, bytes(2))];
    // Step by step, one after the other: both have read the parent before either has written.
    const done = Promise.all(written);
    let isDone = false;
    void done.then(() => {
      isDone = true;
    });
    while (!isDone) {
      await quiet();
      for (const { wire } of rig.workers) wire.step();
    }
    assert.deepEqual(await done, [0, 0]);
    for (const { wire } of rig.workers) wire.release();
    const whole = Buffer.concat([bytes(1), bytes(2), bytes(7), bytes(7)]);
    assert.deepEqual(await one!.image.read(0, 64), whole);
    assert.deepEqual(await rig.image.read(0, 64), whole);
  }
});

test("whatever workers do at the same time, the map denies the objects that are not there, and no write is lost", async () => {
  for (let seed = 1; seed <= 40; seed++) await churn(seed);
});

test("the same of a clone that is flattened meanwhile: what nobody has written to shows the parent", async () => {
  for (let seed = 1; seed <= 40; seed++) await churn(seed, true);
});

/** Each block of 16 bytes has one writer, objects have several; discards of whole objects come from anybody, between rounds without one. */
async function churn(seed: number, isClone = false): Promise<void> {
  const random = new Random(seed);
  using rig = isClone ? await openClone() : await WorkerRig.open(3);
  const blocks: (number | undefined)[] = new Array(16).fill(isClone ? 7 : 0);
  for (let round = 0; round < 6; round++) {
    for (const { wire } of rig.workers) wire.held = [];
    const running: Promise<number>[] = [];
    for (let at = 0; at < 12; at++) {
      const index = random.below(3);
      const { image } = rig.workers[index]!;
      if (random.below(3) === 0) {
        const object = random.below(4);
        running.push(image.discard(64 * object, 64));
        // Which of them comes first is not said.
        for (let block = 4 * object; block < 4 * object + 4; block++) blocks[block] = undefined;
      } else {
        const block = random.below(5) * 3 + index;
        const value = random.between(1, 250);
        const wasClear = blocks[block] !== undefined;
        running.push(image.write(16 * block, bytes(value)));
        blocks[block] = wasClear ? value : undefined;
      }
      for (let step = random.below(4); step > 0; step--) rig.workers[random.below(3)]!.wire.step();
      if (random.below(3) === 0) await quiet();
    }
    if (isClone && round === 2) running.push(flatten(rig));
    let isDone = false;
    const done = Promise.all(running).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      rig.workers[random.below(3)]!.wire.step();
      if (random.below(2) === 0) await quiet();
    }
    assert.ok((await done).every((result) => result === 0));
    for (const { wire } of rig.workers) wire.release();
    // Where a write and a removal came together the owner looks at the object.
    for (let wait = 0; wait < 20 && !isDeepStrictEqual(rig.denied, rig.missing); wait++) await quiet();
    assert.deepEqual(rig.denied, rig.missing, `seed ${seed}, round ${round}`);
    for (const [block, value] of blocks.entries()) {
      const seen = await Promise.all(rig.workers.map(({ image }) => image.read(16 * block, 16)));
      if (value !== undefined)
        assert.deepEqual(seen[0], bytes(value), `seed ${seed}, round ${round}, block ${block}`);
      // All see the same, now that all is done; the next round begins from there.
      for (const each of seen) assert.deepEqual(each, seen[0]);
      blocks[block] = seen[0]![0]!;
    }
  }
}

/** A clone of an image that has data everywhere. */
async function openClone(): Promise<WorkerRig> {
  const osd = new MemoryOsd();
  const parent = new ImageIo({ objecter: osd, state: imageState({ id: "p" }) });
  await new Requests(parent).write(0, Buffer.alloc(256, 7));
  const link = { poolId: 1, namespace: "", imageId: "p", snapId: 1, overlap: 256 };
  const rig = await WorkerRig.open(3, { state: imageState({ id: "c", parent: link }), parent });
  for (const [name, bytes] of osd.objects) rig.osd.objects.set(name, bytes);
  return rig;
}

async function flatten({ owner }: WorkerRig): Promise<number> {
  await Promise.all([0, 1, 2, 3].map((objectNumber) => owner.copyUp(objectNumber)));
  await owner.pauseWrites();
  await owner.follow(imageState({ id: "c" }), undefined);
  await owner.resumeWrites();
  return 0;
}
