import { type EntityAddr, Reader, Writer } from "@siphon/wire";
import { NoneAuthenticator } from "../../src/auth/authenticator.ts";
import { Link, type LinkHandler } from "../../src/messenger/link.ts";
import type { Messenger } from "../../src/messenger/messenger.ts";
import type { OsdMapListener } from "../../src/mon/osdmap-feed.ts";
import { Objecter } from "../../src/objecter/objecter.ts";
import type { ObjecterHost, ObjecterOptions } from "../../src/objecter/objecter-host.ts";
import { ObjectRequest } from "../../src/objecter/request.ts";
import { OsdMap } from "../../src/osdmap/osdmap.ts";
import type { Pool } from "../../src/osdmap/pool.ts";
import { fullWeight, type OsdMapState, OsdState } from "../../src/osdmap/state.ts";
import { crushVectors } from "../vectors/crush-maps.ts";
import { messengerFor } from "./connect.ts";
import { FakeDaemon, type FakeMessage, type FakePeer } from "./fake-daemon.ts";
import { osdMapBytes } from "./osdmap-bytes.ts";

/** The changes from one map to the next. */
export interface MapChange {
  /** The primary of all PGs; -1: none. */
  primary?: number;
  flags?: number;
  pool?: Partial<Pool> | "gone";
  blocklisted?: boolean;
  /** By how many epochs it is newer. */
  steps?: number;
}

/** An operation that an OSD received. */
export interface ReceivedOp {
  osd: number;
  peer: FakePeer;
  tid: number;
  seed: number;
  hash: number;
  epoch: number;
  flags: number;
  /** Client of the request's id. */
  client: bigint;
  reqTid: bigint;
  attempt: number;
  name: string;
  codes: number[];
  snaps: bigint[];
  data: Buffer;
}

/** OSDs that do as a test says, and maps that say what it wants; the objecter between them is the real one. */
export class FakeCluster implements AsyncDisposable {
  readonly messenger: Messenger = messengerFor(["crc"], { coalescing: { enabled: false } });
  readonly osds: FakeDaemon[] = [];
  readonly received: ReceivedOp[] = [];
  readonly objecter: Objecter;
  #map: OsdMap;
  #listeners = new Set<OsdMapListener>();
  #arrived = Promise.withResolvers<void>();
  /** Maps that were requested. */
  asked = 0;
  /** Other messages than requests. */
  onOther: (peer: FakePeer, message: FakeMessage) => void = () => {};
  /** Frames that are no messages. */
  onControl: (peer: FakePeer, tag: number, payload: Buffer) => void = () => {};

  static async start(options: Partial<ObjecterOptions> = {}, osds = 2): Promise<FakeCluster> {
    const daemons: FakeDaemon[] = [];
    const holder: { cluster?: FakeCluster } = {};
    for (let osd = 0; osd < osds; osd++) {
      const message = (peer: FakePeer, received: FakeMessage) =>
        holder.cluster!.#receive(osd, peer, received);
      const control = (peer: FakePeer, tag: number, payload: Buffer) =>
        holder.cluster!.onControl(peer, tag, payload);
      daemons.push(await FakeDaemon.listen({ type: "osd", message, control }));
    }
    holder.cluster = new FakeCluster(daemons, options);
    return holder.cluster;
  }

  private constructor(osds: FakeDaemon[], options: Partial<ObjecterOptions>) {
    this.osds = osds;
    this.messenger.globalId = 4242n;
    this.#map = firstMap(osds.map(({ addr }) => addr));
    this.change({ primary: 0 });
    const authenticator = new NoneAuthenticator({ type: "client", id: "admin" });
    const cluster = this;
    const host: ObjecterHost = {
      messenger: this.messenger,
      osdmaps: {
        get map() {
          return cluster.#map;
        },
        watch: (listener) => {
          cluster.#listeners.add(listener);
          return { [Symbol.dispose]: () => cluster.#listeners.delete(listener) };
        },
        take: () => {},
      },
      linkToOsd: (osd: number, handler: LinkHandler) => {
        const { messenger } = cluster;
        const locate = () => (cluster.#map.isUp(osd) ? cluster.#map.addrs(osd)[0] : undefined);
        const options = { messenger, authenticator, type: "osd", name: `osd.${osd}`, locate } as const;
        return new Link({ ...options, renewTickets: () => {} }, handler);
      },
      latestOsdMap: async () => {
        cluster.asked++;
        return cluster.#map;
      },
    };
    this.objecter = new Objecter(host, {
      ...{ limits: { ops: 1024, bytes: 100 << 20 }, timeout: 0, location: new Map() },
      ...options,
    });
  }

  get epoch(): number {
    return this.#map.epoch;
  }

  /** Makes the next map, and has it heard of. */
  change({ primary, flags, pool, blocklisted, steps = 1 }: MapChange): void {
    const { state } = this.#map;
    const old = state.pools.get(1)!;
    const next: OsdMapState = {
      ...state,
      epoch: state.epoch + steps,
      flags: flags ?? state.flags,
      pools: pool === "gone" ? new Map() : new Map([[1, { ...old, ...pool }]]),
      pgs: primary === undefined ? state.pgs : { ...state.pgs, ...served(primary, state) },
      blocklist: blocklisted
        ? state.blocklist.with(
            [{ addr: this.messenger.addr, until: { seconds: 1, nanoseconds: 0 } }],
            [],
            [],
            [],
          )
        : state.blocklist,
    };
    this.#map = new OsdMap(primary === -1 ? { ...next, osds: { ...next.osds, state: downOf(next) } } : next);
    for (const listener of [...this.#listeners]) listener(this.#map);
  }

  /** Waits until the OSDs have got this many requests in all. */
  async got(count: number): Promise<ReceivedOp[]> {
    while (this.received.length < count) await this.#arrived.promise;
    return this.received;
  }

  /** Answers a request. */
  answer(op: ReceivedOp, reply: Partial<FakeReply> = {}): void {
    const { outputs = op.codes.map(() => Buffer.alloc(0)) } = reply;
    const front = replyBytes(op, { ...reply, outputs });
    op.peer.send(43, op.tid, front, Buffer.concat(outputs), 8);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.objecter.close();
    this.messenger.close();
    for (const osd of this.osds) await osd[Symbol.asyncDispose]();
  }

  #receive(osd: number, peer: FakePeer, message: FakeMessage): void {
    if (message.type !== 42) {
      this.onOther(peer, message);
      return;
    }
    this.received.push({ osd, peer, tid: message.tid, data: message.data, ...readOp(message.front) });
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
  }
}

export interface FakeReply {
  result: number;
  attempt: number;
  outputs: Buffer[];
  results: number[];
  version: number;
  redirect: Buffer;
}

/** The front of an answer. */
export function replyBytes(op: Pick<ReceivedOp, "name" | "attempt">, reply: Partial<FakeReply>): Buffer {
  const { result = 0, outputs = [Buffer.alloc(0)], results = outputs.map(() => 0), version = 7 } = reply;
  const w = new Writer();
  w.string(op.name).u8(1).u64(1).u32(0).i32(-1);
  w.u64(4).i32(result).zeros(12).u32(1);
  w.list(outputs, (_, output) => w.zeros(34).u32(output.length));
  w.i32(reply.attempt ?? op.attempt);
  for (const each of results) w.i32(each);
  w.zeros(12)
    .u64(version)
    .u8(reply.redirect ? 1 : 0);
  if (reply.redirect) w.raw(reply.redirect);
  return Buffer.from(w.finish());
}

/** Takes an MOSDOp apart. */
export function readOp(front: Buffer): Omit<ReceivedOp, "osd" | "peer" | "tid" | "data"> {
  const r = new Reader(front, "MOSDOp");
  r.skip(15);
  const seed = r.u32();
  r.skip(5);
  const [hash, epoch, flags] = [r.u32(), r.u32(), r.u32()];
  r.skip(7);
  const [client, reqTid] = [r.u64(), r.u64()];
  r.skip(4 + 24 + 4 + 8);
  r.skipStruct();
  const name = r.string();
  const codes = Array.from({ length: r.u16() }, () => {
    const code = r.u16();
    r.skip(36);
    return code;
  });
  r.skip(16);
  const snaps = r.list(8, () => r.u64());
  const attempt = r.i32();
  return { seed, hash, epoch, flags, client, reqTid, name, codes, snaps, attempt };
}

/** A request that keeps what came of it. */
export class TestRequest extends ObjectRequest {
  readonly #done = Promise.withResolvers<this>();
  input: Buffer = Buffer.alloc(0);
  bytes: Buffer = Buffer.alloc(0);
  results: number[] = [];
  completions = 0;

  get done(): Promise<this> {
    return this.#done.promise;
  }

  fill(_: number, into: Buffer, at: number): void {
    this.input.copy(into, at);
  }

  output(_: number, result: number, length: number): void {
    this.results.push(result);
    this.bytes = Buffer.alloc(length);
  }

  take(_: number, bytes: Buffer, start: number, end: number, position: number): void {
    bytes.copy(this.bytes, position, start, end);
  }

  completed(): void {
    this.completions++;
    this.#done.resolve(this);
  }
}

function firstMap(addrs: EntityAddr[]): OsdMap {
  const { map: crush, devices } = crushVectors().find((vector) => vector.devices === 12)!;
  const up = OsdState.exists | OsdState.up;
  const osds = Array.from({ length: devices }, (_, osd) => ({
    state: osd < addrs.length ? up : 0,
    weight: fullWeight,
    affinity: fullWeight,
  }));
  const pools = [{ id: 1, name: "p", type: 1, size: 2, rule: 1, pgNum: 8, pgpNum: 8, flags: 1 }];
  const bytes = osdMapBytes({
    ...{ fsid: "01234567-89ab-cdef-0123-456789abcdef", epoch: 10, osdRelease: 16 },
    ...{ crush: Buffer.from(crush, "base64"), pools, osds },
  });
  const { state } = OsdMap.decode(bytes);
  const all = Array.from({ length: devices }, (_, osd) => (addrs[osd] ? [addrs[osd]] : []));
  return new OsdMap({ ...state, osds: { ...state.osds, addrs: all } });
}

/** All PGs, of now and after some splits, are served by this OSD and its neighbour. */
function served(primary: number, state: OsdMapState): Pick<OsdMapState["pgs"], "temp"> {
  const acting = primary < 0 ? [] : [primary, 1 - primary].filter((osd) => osd >= 0);
  const seeds = Array.from({ length: 64 }, (_, seed) => [{ pool: 1, seed }, acting] as const);
  return { temp: state.pgs.temp.with(seeds, []) };
}

function downOf({ osds }: OsdMapState): Uint32Array {
  return osds.state.map((state) => state & ~OsdState.up);
}
