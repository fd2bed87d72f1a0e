import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { InflightArea, inflightAreaBytes } from "../../../src/vhost/ring/inflight.ts";
import { SplitRing } from "../../../src/vhost/ring/split-ring.ts";
import { testMemory } from "../../support/test-memory.ts";

const size = 8;
const user = 2 ** 40;
const addresses = { index: 0, log: undefined, descriptors: user, available: user + 1024, used: user + 2048 };

describe("requests under way, as a new process finds them", () => {
  let memory: ReturnType<typeof testMemory>;
  let area: ArrayBuffer;
  const ring = () => new SplitRing(memory, addresses, { size, base: 0, eventIdx: false });

  beforeEach(() => {
    memory = testMemory([0, 4096]);
    area = new ArrayBuffer(inflightAreaBytes(size));
  });

  function begun(...heads: number[]): { inflight: InflightArea; used: SplitRing } {
    const used = ring();
    const inflight = new InflightArea(area, size);
    assert.deepEqual(inflight.resume(used), []);
    for (const head of heads) inflight.begin(head);
    return { inflight, used };
  }

  function giveBack({ inflight, used }: ReturnType<typeof begun>, ...heads: number[]): void {
    for (const head of heads) {
      inflight.giveBack(head);
      used.putUsed(head, 1);
    }
  }

  test("are those that were begun, in their order", () => {
    begun(5, 1, 7);
    assert.deepEqual(new InflightArea(area, size).resume(ring()), [5, 1, 7]);
  });

  test("are not those that the driver has seen", () => {
    const state = begun(5, 1, 7);
    giveBack(state, 1);
    state.used.publish();
    state.inflight.published(state.used.usedIdx);
    assert.deepEqual(new InflightArea(area, size).resume(ring()), [5, 7]);
  });

  test("are those that were given back but never published", () => {
    const state = begun(5, 1, 7);
    giveBack(state, 1, 5);
    assert.deepEqual(new InflightArea(area, size).resume(ring()), [5, 1, 7]);
  });

  test("are not those of a batch that was published but not unmarked", () => {
    const state = begun(5, 1, 7);
    giveBack(state, 1, 7);
    state.used.publish();
    assert.deepEqual(new InflightArea(area, size).resume(ring()), [5]);
  });

  test("keep their order over one more process", () => {
    begun(5, 1);
    const next = new InflightArea(area, size);
    next.resume(ring());
    next.begin(0);
    assert.deepEqual(new InflightArea(area, size).resume(ring()), [5, 1, 0]);
  });
});
