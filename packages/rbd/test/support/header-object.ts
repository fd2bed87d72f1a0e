import { type Cluster, type Pool, RadosError, type WriteOperation } from "@siphon/rados";
import { Reader, utimeFromMilliseconds, Writer, writeUtime } from "@siphon/wire";
import { imageFeature } from "../../src/image-state.ts";
import { LockObject } from "./lock-pool.ts";
import { MemoryOsd } from "./memory-osd.ts";

type Step = WriteOperation<unknown[]>["ops"][number];

interface Watcher {
  notified(payload: Buffer): Promise<Uint8Array | undefined>;
  lost(error: RadosError): void;
}

/** Header of an image of 4 objects of 64 bytes, with its lock and its watchers, in memory, as several clients see it. */
export class HeaderObject {
  readonly osd = new MemoryOsd();
  /** `lock.before` is called with each method of the header as well, and with `watch`. */
  readonly lock = new LockObject();
  size = 256;
  /** Times that the header was read. */
  reads = 0;
  readonly #watchers = new Map<bigint, Watcher>();
  #cookies = 0n;

  /** The cluster and the pool of one client, who has the image open once. */
  clientOf(id: bigint): { cluster: Cluster; pool: Pool } {
    const { cluster, pool: ofLock } = this.lock.hostOf(id);
    const pool = {
      ...{ id: 1, name: "p", namespace: "", with: () => pool, listWatchers: ofLock.listWatchers },
      exec: ofLock.exec,
      operate: async (object: string, { ops }: { ops: readonly Step[] }) => {
        const values: Buffer[] = [];
        for (const step of ops) {
          const isLock = Buffer.from(step.input!).toString("latin1").startsWith("lock");
          if (isLock) await ofLock.operate(object, { ops: [step] } as unknown as WriteOperation<unknown[]>);
          else values.push(await this.#call(step));
        }
        return { values };
      },
      watch: async (_: string, watcher: Watcher) => {
        await this.lock.before("watch");
        const cookie = ++this.#cookies;
        this.#watchers.set(id, watcher);
        this.lock.watchers.set(id, cookie);
        return { cookie, close: async () => this.forget(id) };
      },
      notify: async (_: string, payload: Buffer) => {
        const told = [...this.#watchers.values()].map((watcher) => watcher.notified(payload));
        const replies = (await Promise.all(told)).filter((reply) => reply !== undefined);
        return { replies: replies.map((reply) => ({ payload: Buffer.from(reply) })), missed: [] };
      },
    };
    return {
      cluster: Object.assign(cluster, { objecter: this.osd }),
      pool: pool as unknown as Pool,
    };
  }

  /** The OSD knows nothing of the client's watch any more. */
  forget(id: bigint): void {
    this.#watchers.delete(id);
    this.lock.watchers.delete(id);
  }

  /** The same, and the client is told. */
  loseWatch(id: bigint): void {
    const watcher = this.#watchers.get(id);
    this.forget(id);
    watcher?.lost(new RadosError("ENOTCONN", "the watch is lost"));
  }

  async #call({ input, writeArguments }: Step): Promise<Buffer> {
    const lengths = { view: new DataView(new ArrayBuffer(28)) };
    writeArguments?.(lengths as never, 0);
    const [className, method] = [lengths.view.getUint8(0), lengths.view.getUint8(1)];
    const bytes = Buffer.from(input!);
    const name = bytes.toString("latin1", className, className + method);
    await this.lock.before(name);
    if (name === "get_size") this.reads++;
    const into = new Writer();
    this.#methods[name]?.(into, new Reader(bytes.subarray(className + method), name));
    if (this.#methods[name] === undefined) throw new RadosError("EOPNOTSUPP", name);
    return into.finish();
  }

  readonly #methods: Record<string, (w: Writer, r: Reader) => unknown> = {
    get_size: (w) => w.u8(6).u64(this.size),
    get_features: (w) => w.u64(imageFeature.exclusiveLock).u64(0),
    get_flags: (w) => w.u64(0),
    op_features_get: (w) => w.u64(0),
    get_snapcontext: (w) => w.u64(0).u32(0),
    get_object_prefix: (w) => w.string("rbd_data.a"),
    get_data_pool: (w) => w.u64(-1),
    parent_get: (w) => w.versioned(1, 1, () => w.u64(-1).string("").string("").u64(-2)),
    parent_overlap_get: (w) => w.bool(false).u64(0),
    get_create_timestamp: now,
    get_access_timestamp: now,
    get_modify_timestamp: now,
    image_group_get: (w) => w.versioned(1, 1, () => w.u64(-1).string("")),
    set_size: (_, r) => {
      this.size = r.u64Number();
    },
  };
}

function now(w: Writer): void {
  writeUtime(w, utimeFromMilliseconds(Date.now()));
}
