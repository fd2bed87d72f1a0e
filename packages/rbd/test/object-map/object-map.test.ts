import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "@siphon/rados";
import type { ObjectRequest } from "@siphon/rados/engine";
import { ObjectMap } from "../../src/object-map/object-map.ts";
import { ObjectStates } from "../../src/object-map/object-states.ts";
import { UpdateRequest } from "../../src/object-map/update-request.ts";

const [nonexistent, exists, pending] = [0, 1, 2];

function open(onInvalid: () => Promise<void> = async () => {}) {
  const sent: UpdateRequest[] = [];
  const objecter = {
    submit(request: ObjectRequest) {
      assert.ok(request instanceof UpdateRequest);
      sent.push(request);
    },
  };
  const states = new ObjectStates(10);
  const map = new ObjectMap({ objecter, poolId: 1, namespace: "", imageId: "a", states, onInvalid });
  const answer = async (result = 0) => {
    await Promise.resolve();
    const request = sent.shift()!;
    request.result = result;
    request.completed();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { map, sent, answer };
}

test("updates of the same turn go together where the objects follow each other", async () => {
  const { map, sent, answer } = open();
  const done: string[] = [];
  for (const n of [4, 2, 3, 7]) {
    assert.ok(map.update(n, exists, undefined, { mapUpdated: (result) => done.push(`${n}: ${result}`) }));
  }
  await Promise.resolve();
  assert.deepEqual(
    sent.map(({ change: { first, end } }) => [first, end]),
    [
      [2, 5],
      [7, 8],
    ],
  );
  assert.equal(map.mayExist(3), false, "until the cluster knows");
  await answer();
  assert.deepEqual(done, ["2: 0", "3: 0", "4: 0"]);
  assert.equal(map.mayExist(3), true);
  assert.equal(
    map.update(3, exists, undefined, { mapUpdated: () => assert.fail() }),
    false,
    "it says so already",
  );
});

test("updates of one object happen one after the other, and only as far as they are needed", async () => {
  const { map, sent, answer } = open();
  const done: string[] = [];
  const ask = (state: number, current: number | undefined, name: string) =>
    map.update(1, state, current, { mapUpdated: () => done.push(name) });
  ask(exists, undefined, "a");
  ask(exists, undefined, "b");
  ask(pending, undefined, "c");
  await answer();
  assert.deepEqual(done, ["a", "b"]);
  ask(exists, undefined, "d");
  ask(nonexistent, pending, "e");
  await answer();
  assert.deepEqual(done, ["a", "b", "c"]);
  await answer();
  assert.deepEqual(done, ["a", "b", "c", "d", "e"], "written again meanwhile: it is not gone");
  assert.equal(map.mayExist(1), true);
  assert.equal(sent.length, 0);
});

test("an update that is answered after the map was replaced as a whole says nothing of the new one", async () => {
  const { map, answer } = open();
  const results: number[] = [];
  const update = (state: number, current: number | undefined) =>
    map.update(1, state, current, { mapUpdated: (result) => results.push(result) });
  update(exists, undefined);
  await answer();
  update(pending, undefined);
  await answer();
  update(nonexistent, pending);
  await Promise.resolve();
  // A rollback brings the object back.
  const states = new ObjectStates(10);
  states.set(1, exists);
  map.replace(states);
  await answer();
  assert.deepEqual([results, map.mayExist(1), map.busy(1)], [[0, 0, 0], true, false]);
});

test("a map that cannot be kept is declared invalid, and says that everything may exist", async () => {
  let invalid = 0;
  const { map, answer } = open(async () => {
    invalid++;
  });
  const results: number[] = [];
  map.update(1, exists, undefined, { mapUpdated: (result) => results.push(result) });
  await answer(-5);
  assert.deepEqual([invalid, results], [1, [0]]);
  assert.equal(map.mayExist(9), true);
});

test("without the map's lock nothing is written, and neither if nobody can be told that the map is invalid", async () => {
  const busy = open();
  const results: number[] = [];
  busy.map.update(1, exists, undefined, { mapUpdated: (result) => results.push(result) });
  await busy.answer(-16);
  const mute = open(() => Promise.reject(new Error("no")));
  mute.map.update(1, exists, undefined, { mapUpdated: (result) => results.push(result) });
  await mute.answer(-5);
  assert.deepEqual(results, [-108, -5]);
});

test("a snapshot's map that is missing fails a write only as long as nobody can be told, and by an error that passes", async () => {
  const noAnswer = new RadosError("SIPHON_RADOS_TIMEOUT", "no answer", { retryable: true });
  const reasons: unknown[] = [noAnswer];
  const { map, answer } = open(async () => {
    if (reasons.length > 0) throw reasons.shift();
  });
  const done: unknown[] = [];
  for (let tries = 0; tries < 2; tries++) {
    map.updateSnapshot(4, 1, exists, { mapUpdated: (result, error) => done.push([result, error]) });
    await answer(-2);
  }
  assert.deepEqual(done, [
    [-110, noAnswer],
    [0, undefined],
  ]);
});

test("while nobody could be told, each write that the map would deny tells it again, and goes on when it says so", async () => {
  const told: PromiseWithResolvers<void>[] = [];
  const { map, answer } = open(() => told[told.push(Promise.withResolvers()) - 1]!.promise);
  const results: number[] = [];
  const write = (n: number) =>
    assert.ok(map.update(n, exists, undefined, { mapUpdated: (result) => results.push(result) }));
  write(1);
  await answer(-5);
  // The flag is under way: neither this write goes on nor one that comes now.
  write(2);
  assert.deepEqual(results, []);
  told[0]!.reject(new Error("no answer"));
  await answer();
  assert.deepEqual(results, [-5, 0]);
  assert.equal(map.mayExist(1), false, "as it is stored");
  write(1);
  await answer();
  assert.deepEqual(results, [-5, 0, 0]);
  write(3);
  await answer(-5);
  told[1]!.resolve();
  await new Promise(setImmediate);
  assert.deepEqual(results, [-5, 0, 0, 0]);
  assert.equal(map.update(4, exists, undefined, { mapUpdated: () => assert.fail() }), false);
});

test("an update without an answer, or without space, fails what waits for it, and the map counts on", async () => {
  let invalid = 0;
  const { map, answer } = open(async () => {
    invalid++;
  });
  const results: number[] = [];
  const write = () =>
    assert.ok(map.update(1, exists, undefined, { mapUpdated: (result) => results.push(result) }));
  for (const result of [-110, -28, -122, 0]) {
    write();
    await answer(result);
  }
  assert.deepEqual([invalid, results], [0, [-110, -28, -122, 0]]);
  assert.equal(map.mayExist(2), false);
});
