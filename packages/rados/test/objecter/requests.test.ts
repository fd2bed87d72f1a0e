import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hold, RequestTable } from "../../src/objecter/requests.ts";
import { TestRequest } from "../support/fake-cluster.ts";

function requestOf(tid: number): TestRequest {
  const request = new TestRequest();
  request.dispatch.tid = tid;
  return request;
}

test("a table holds what a map would, in the order of the ids", () => {
  const steps = fc.array(fc.record({ tid: fc.integer({ min: 0, max: 300 }), held: fc.boolean() }), {
    maxLength: 600,
  });
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 64, 2 ** 40), (all, stride) => {
      const table = new RequestTable();
      const map = new Map<number, TestRequest>();
      for (const { tid: id, held } of all) {
        const tid = id * stride;
        if (held && !map.has(tid)) {
          const request = requestOf(tid);
          hold(table, request);
          map.set(tid, request);
        } else assert.equal(table.delete(tid), map.delete(tid));
        assert.equal(table.size, map.size);
        assert.equal(table.get(tid), map.get(tid));
      }
      const ordered = [...map].sort(([a], [b]) => a - b).map(([, request]) => request);
      assert.deepEqual(
        [...table.values()].map(({ dispatch }) => dispatch.tid),
        ordered.map(({ dispatch }) => dispatch.tid),
      );
      for (const request of ordered) assert.equal(table.get(request.dispatch.tid), request);
    }),
  );
});

test("requests that go while others are visited are not visited", () => {
  const table = new RequestTable();
  for (const tid of [3, 1, 2]) hold(table, requestOf(tid));
  const visited: number[] = [];
  for (const { dispatch } of table.values()) {
    visited.push(dispatch.tid);
    table.delete(dispatch.tid);
    table.delete(2);
  }
  assert.deepEqual(visited, [1, 3]);
  assert.equal(table.size, 0);
});
