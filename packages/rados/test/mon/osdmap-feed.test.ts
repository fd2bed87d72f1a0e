import assert from "node:assert/strict";
import { test } from "node:test";
import { OsdMapFeed } from "../../src/mon/osdmap-feed.ts";
import { osdMapVectors } from "../vectors/osdmaps.ts";

const { fulls, incrementals } = osdMapVectors();

/** A feed, with what it asked for and what it said it had. */
function feed(): { feed: OsdMapFeed; asked: number[]; received: number[] } {
  const asked: number[] = [];
  const received: number[] = [];
  const source = {
    subscribe: (_what: "osdmap", start: number) => asked.push(start),
    received: (_what: "osdmap", epoch: number) => received.push(epoch),
  };
  return { feed: new OsdMapFeed(source), asked, received };
}

function message(full: number[], incremental: number[]) {
  const pick = (maps: Map<number, Buffer>, epochs: number[]) =>
    new Map(epochs.map((epoch) => [epoch, maps.get(epoch)!]));
  const [oldest, newest] = [1, fulls.size];
  return {
    fsid: "",
    fulls: pick(fulls, full),
    incrementals: pick(incrementals, incremental),
    oldest,
    newest,
  };
}

test("a full map, and then change by change", () => {
  const { feed: maps, asked, received } = feed();
  const seen: number[] = [];
  using _watch = maps.watch(({ epoch }) => seen.push(epoch));
  maps.take(message([10], []));
  maps.take(message([], [11, 12]));
  maps.take(message([], [11, 12, 13]));
  maps.take(message([], [12]));
  assert.deepEqual([seen, received, asked], [[10, 12, 13], [10, 12, 13], []]);
});

test("a gap is filled by asking from the first epoch that is missing", () => {
  const { feed: maps, asked } = feed();
  maps.take(message([10], []));
  maps.take(message([], [14, 15]));
  assert.deepEqual([maps.map!.epoch, asked], [10, [11]]);
  maps.take(message([], [11, 12, 13, 14, 15]));
  assert.deepEqual([maps.map!.epoch, asked], [15, [11]]);
});

test("a map whose checksum is wrong is not taken; a complete one is asked for", () => {
  const { feed: maps, asked } = feed();
  maps.take(message([10], []));
  const damaged = Buffer.from(incrementals.get(11)!);
  damaged[damaged.length - 1]! ^= 1;
  maps.take({ ...message([], []), incrementals: new Map([[11, damaged]]) });
  assert.deepEqual([maps.map!.epoch, asked], [10, [0]]);
  maps.take(message([20], []));
  assert.equal(maps.map!.epoch, 20);
});

test("a damaged full map is an error of its sender", () => {
  const { feed: maps, asked } = feed();
  const damaged = Buffer.from(fulls.get(10)!);
  damaged[damaged.length - 1]! ^= 1;
  const sent = { ...message([], []), fulls: new Map([[10, damaged]]) };
  assert.throws(() => maps.take(sent), { code: "SIPHON_WIRE_CHECKSUM" });
  assert.deepEqual([maps.map, asked], [undefined, []]);
});

test("waiting for an epoch ends with it, with the time, or when it is not wanted any more", async () => {
  const { feed: maps } = feed();
  maps.take(message([10], []));
  assert.equal((await maps.atLeast(9)).epoch, 10);
  const waiting = maps.atLeast(12);
  maps.take(message([], [11]));
  maps.take(message([], [12]));
  assert.equal((await waiting).epoch, 12);
  const tooLong = {
    code: "SIPHON_RADOS_TIMEOUT",
    message: /no OSD map of epoch 99 \(the newest is epoch 12\)/,
  };
  await assert.rejects(maps.atLeast(99, { timeout: 20 }), tooLong);
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(maps.atLeast(99, { signal }), /enough/);
});
