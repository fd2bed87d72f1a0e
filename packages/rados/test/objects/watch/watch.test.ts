import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@siphon/wire";
import { RadosError } from "../../../src/errors.ts";
import type { WatchNotify } from "../../../src/messages/watch-notify.ts";
import { ObjectTarget } from "../../../src/objecter/target.ts";
import { Lingers } from "../../../src/objects/watch/lingers.ts";
import { notifyWatchers } from "../../../src/objects/watch/notify.ts";
import { type Notification, Watch } from "../../../src/objects/watch/watch.ts";
import type { OsdMap } from "../../../src/osdmap/osdmap.ts";
import { FakeObjecter, opsOf } from "../../support/fake-objecter.ts";

/** A map in which one PG is where `acting` says. */
function placedAt(acting: number[]): OsdMap {
  const placement = { up: acting, upPrimary: acting[0], acting, actingPrimary: acting[0] };
  return { pool: () => ({}), pgOf: () => ({ seed: 0 }), place: () => placement } as unknown as OsdMap;
}

class Stage implements Disposable {
  readonly objecter = new FakeObjecter();
  map = placedAt([0, 1]);
  readonly lingers = new Lingers(this.objecter, () => this.map);
  readonly notified: Notification[] = [];
  readonly lost: RadosError[] = [];
  readonly target = new ObjectTarget(1, "o");

  async watch(): Promise<Watch> {
    const events = {
      notified: (n: Notification) => this.notified.push(n),
      lost: (error: RadosError) => this.lost.push(error),
    };
    const opening = Watch.open(this.lingers, this.target, "object o of pool p", events, { timeout: 20_000 });
    this.objecter.answer(0);
    return opening;
  }

  /** Operations asked of the OSD, as `what/generation`. */
  get asked(): string[] {
    const names = new Map([
      [0, "unwatch"],
      [3, "watch"],
      [5, "reconnect"],
      [7, "ping"],
    ]);
    return this.objecter.requests.map((request) => {
      const { view } = request.ops;
      return `${names.get(view.getUint8(6 + 16))}/${view.getUint32(6 + 17, true)}`;
    });
  }

  [Symbol.dispose](): void {
    this.lingers.end(new RadosError("SIPHON_RADOS_CLOSED", "closed"));
  }
}

const told = (event: WatchNotify["event"], more: Partial<WatchNotify> = {}): WatchNotify => ({
  ...{ event, cookie: 1n, notifyId: 7n, payload: Buffer.from("hello"), result: 0, notifier: 4n },
  replies: Buffer.alloc(0),
  ...more,
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a watch is registered again when its connection is lost, and when its PG has other OSDs", async () => {
  using stage = new Stage();
  const watch = await stage.watch();
  stage.lingers.connectionLost(1);
  assert.deepEqual(stage.asked, []);
  stage.lingers.connectionLost(0);
  assert.deepEqual(stage.asked, ["reconnect/1"]);
  stage.lingers.mapChanged();
  assert.deepEqual(stage.asked, ["reconnect/1"]);
  stage.map = placedAt([0, 2]);
  stage.lingers.mapChanged();
  await settled();
  assert.deepEqual(stage.asked, ["reconnect/2"]);
  stage.objecter.answer(0);
  await settled();
  assert.ok(watch.check() >= 0);
  assert.deepEqual(stage.lost, []);
});

test("a watch whose first registration was cut off is registered as new, and opens then", async () => {
  using stage = new Stage();
  const events = { notified: () => {}, lost: () => {} };
  const opening = Watch.open(stage.lingers, stage.target, "object o", events);
  stage.lingers.connectionLost(0);
  assert.deepEqual(stage.asked, ["watch/0"]);
  stage.objecter.answer(0);
  await opening;
});

test("a watch that is given up before its OSD answers fails at once, and is ended there when that can be done", async () => {
  using stage = new Stage();
  const events = { notified: () => {}, lost: () => {} };
  const aborting = new AbortController();
  const { signal } = aborting;
  const opening = Watch.open(stage.lingers, stage.target, "object o", events, { signal });
  aborting.abort(new Error("enough"));
  await assert.rejects(opening, /enough/);
  assert.deepEqual(stage.asked, ["unwatch/0"]);
});

test("a watch that cannot be registered again is lost; what removed the object looks the same", async () => {
  using stage = new Stage();
  const watch = await stage.watch();
  stage.lingers.connectionLost(0);
  stage.objecter.answer(-2);
  await settled();
  assert.deepEqual(
    stage.lost.map(({ code }) => code),
    ["ENOTCONN"],
  );
  assert.throws(() => watch.check(), { code: "ENOTCONN" });
});

test("a watch that is lost as its OSD did not answer in time is ended there, when it may have come about", async () => {
  using stage = new Stage();
  await stage.watch();
  stage.lingers.connectionLost(0);
  stage.objecter.answer(-110);
  await settled();
  assert.equal(stage.lost.length, 1);
  assert.deepEqual(stage.asked, ["unwatch/0"]);
  stage.objecter.answer(-2);
  await settled();
  assert.deepEqual(stage.asked, []);
});

test("the OSD may end a watch", async () => {
  using stage = new Stage();
  await stage.watch();
  stage.lingers.take(told("disconnected"));
  stage.lingers.take(told("disconnected"));
  assert.equal(stage.lost.length, 1);
});

test("an OSD that knows the watch but not the connection: registered again; one that knows neither: lost", async () => {
  using stage = new Stage();
  await stage.watch();
  stage.lingers.ping();
  stage.lingers.ping();
  assert.deepEqual(stage.asked, ["ping/0"]);
  stage.objecter.answer(-110);
  await settled();
  assert.deepEqual(stage.asked, ["reconnect/1"]);
  stage.objecter.answer(0);
  await settled();
  stage.lingers.ping();
  stage.objecter.answer(-107);
  await settled();
  assert.equal(stage.lost.length, 1);
});

test("the answer to a ping from before a reconnect says nothing", async () => {
  using stage = new Stage();
  await stage.watch();
  stage.lingers.ping();
  stage.lingers.connectionLost(0);
  stage.objecter.answer(-107);
  await settled();
  assert.deepEqual(stage.lost, []);
});

test("a notification is acknowledged with its id, the watch's cookie and the reply", async () => {
  using stage = new Stage();
  await stage.watch();
  await new Promise(setImmediate);
  stage.lingers.take(told("notify"));
  stage.lingers.take(told("notify", { cookie: 99n }));
  const [notification, ...others] = stage.notified;
  assert.equal(others.length, 0);
  assert.equal(notification!.payload.toString(), "hello");
  assert.equal(notification!.notifierId, 4n);
  const acknowledged = notification!.acknowledge(Buffer.from("ok"));
  const [op] = opsOf(stage.objecter.requests[0]!);
  assert.deepEqual(op!.input, new Writer().u64(7).u64(1).blob(Buffer.from("ok")).finish());
  stage.objecter.answer(0);
  await acknowledged;
});

test("a notification that comes before the OSD's answer, or with it, is told once the watch was handed out, in its order", async () => {
  using stage = new Stage();
  const order: string[] = [];
  const events = {
    notified: ({ payload, cookie }: Notification) => order.push(`${payload} ${cookie}`),
    lost: () => {},
  };
  const opening = Watch.open(stage.lingers, stage.target, "object o of pool p", events).then(({ cookie }) =>
    order.push(`watched ${cookie}`),
  );
  stage.lingers.take(told("notify", { payload: Buffer.from("first") }));
  stage.objecter.answer(0);
  stage.lingers.take(told("notify", { payload: Buffer.from("second") }));
  await opening;
  await new Promise(setImmediate);
  stage.lingers.take(told("notify", { payload: Buffer.from("third") }));
  assert.deepEqual(order, ["watched 1", "first 1", "second 1", "third 1"]);
});

test("a watch that is closed says so to the OSD, once", async () => {
  using stage = new Stage();
  const watch = await stage.watch();
  const closing = watch.close();
  assert.deepEqual(stage.asked, ["unwatch/0"]);
  stage.objecter.answer(0);
  await closing;
  await watch.close();
  assert.deepEqual(stage.asked, []);
});

test("a notify resolves with who answered what and who did not, also when the time was up", async () => {
  using stage = new Stage();
  const notified = notifyWatchers(stage.lingers, stage.target, "object o", Buffer.from("x"), {
    timeout: 1_500,
  });
  const [op] = opsOf(stage.objecter.requests[0]!);
  assert.deepEqual(op!.input, new Writer().u32(1).u32(2).blob(Buffer.from("x")).finish());
  stage.objecter.answer(0, [{ bytes: new Writer().u64(7).finish() }]);
  await settled();
  const replies = new Writer().u32(1).u64(11).u64(1).blob(Buffer.from("r")).u32(1).u64(12).u64(2).finish();
  stage.lingers.take(told("completed", { notifyId: 6n, replies }));
  stage.lingers.take(told("completed", { result: -110, replies }));
  assert.deepEqual(await notified, {
    replies: [{ client: 11n, cookie: 1n, payload: Buffer.from("r") }],
    missed: [{ client: 12n, cookie: 2n }],
  });
});

test("a notify is sent again when its connection is lost before all have answered", async () => {
  using stage = new Stage();
  const notified = notifyWatchers(stage.lingers, stage.target, "object o", Buffer.alloc(0));
  stage.objecter.answer(0, [{ bytes: new Writer().u64(7).finish() }]);
  await settled();
  stage.lingers.connectionLost(0);
  assert.equal(stage.objecter.requests.length, 1);
  stage.lingers.take(told("completed", { notifyId: 8n }));
  assert.deepEqual(await notified, { replies: [], missed: [] });
});

test("a cluster handle that is closed ends watches and notifies", async () => {
  using stage = new Stage();
  await stage.watch();
  const notified = notifyWatchers(stage.lingers, stage.target, "object o", Buffer.alloc(0));
  stage.lingers.end(new RadosError("SIPHON_RADOS_CLOSED", "the cluster handle was closed"));
  await assert.rejects(notified, { code: "SIPHON_RADOS_CLOSED" });
  assert.deepEqual(
    stage.lost.map(({ code }) => code),
    ["SIPHON_RADOS_CLOSED"],
  );
});
