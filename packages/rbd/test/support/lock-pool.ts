import type { Cluster, Pool, WriteOperation } from "@siphon/rados";
import { RadosError } from "@siphon/rados";
import { type EntityAddr, Reader, Writer, writeEntityAddr } from "@siphon/wire";
import type { LockHost } from "../../src/lock/lock-host.ts";

/** One object with a lock of the class `lock`, and its watchers, in memory: for what cannot be had of a real OSD at the right moment. */
export class LockObject {
  owner: { client: bigint; cookie: string } | undefined;
  /** Cookies by client. */
  readonly watchers = new Map<bigint, bigint>();
  readonly blocklist: string[] = [];
  /** Seconds for which the last one was put there. */
  blocked: number | undefined;
  /** RBD's settings, as ceph.conf has them. */
  readonly settings = new Map<string, string>();
  /** Methods that were called, in their order. */
  readonly called: string[] = [];
  /** Called before anything is asked or changed. */
  before: (what: string) => void | Promise<void> = () => {};
  /** The answer to the next change by this method is lost. */
  losing: string | undefined;

  hostOf(client: bigint, events: Partial<LockHost> = {}): LockHost {
    const pool = {
      operate: (_object: string, operation: WriteOperation<unknown[]>) => this.#change(client, operation),
      exec: async (_object: string, _class: string, method: string) => {
        await this.before(method);
        return method === "metadata_list" ? Buffer.alloc(4) : this.#info();
      },
      with: () => pool,
      listWatchers: async () => {
        await this.before("watchers");
        return [...this.watchers].map(([id, cookie]) => ({ cookie, addr: addrOf(id) }));
      },
    };
    const cluster = {
      globalId: client,
      blocklist: async (_: string, addr: string, seconds?: number) => {
        this.blocklist.push(addr);
        this.blocked = seconds;
      },
      setting: (name: string) => this.settings.get(name),
    };
    return {
      ...{ cluster: cluster as unknown as Cluster, pool: pool as unknown as Pool },
      ...{ image: { id: "a", name: "a" }, watchCookie: async () => this.watchers.get(client)! },
      ...{ askOwner: async () => undefined, tell: async () => {}, acquired: async () => {} },
      ...{ releasing: async () => {}, released: () => {}, notReleased: () => {}, fenced: () => {} },
      ...{ owned: () => {}, waiting: () => {} },
      ...events,
    };
  }

  async #change(client: bigint, { ops }: WriteOperation<unknown[]>): Promise<void> {
    for (const op of ops) {
      const input = Buffer.from(op.input!);
      const method = methods.find((name) => input.toString("latin1", 4).startsWith(name))!;
      await this.before(method);
      this.called.push(method);
      const r = new Reader(input.subarray(4 + method.length + 6), "call");
      r.string();
      if (method === "break_lock") this.owner = undefined;
      else if (method === "unlock") {
        const cookie = r.string();
        if (this.owner?.client !== client || this.owner.cookie !== cookie) throw failed("ENOENT");
        this.owner = undefined;
      } else {
        r.u8();
        const cookie = r.string();
        r.string();
        if (method === "lock") {
          if (this.owner !== undefined) throw failed("EBUSY");
          this.owner = { client, cookie };
        } else {
          if (this.owner?.client !== client || this.owner.cookie !== cookie) throw failed("EBUSY");
          if (method === "set_cookie") this.owner = { client, cookie: r.string() };
        }
      }
      if (this.losing !== method) continue;
      this.losing = undefined;
      throw failed("SIPHON_RADOS_TIMEOUT");
    }
  }

  #info(): Buffer {
    const { owner } = this;
    return new Writer()
      .versioned(1, 1, (w) => {
        w.u32(owner === undefined ? 0 : 1);
        if (owner !== undefined) {
          w.versioned(1, 1, () => w.u8(8).u64(owner.client).string(owner.cookie));
          w.versioned(1, 1, () => {
            w.u32(0).u32(0);
            writeEntityAddr(w, addrOf(owner.client));
            w.string("");
          });
        }
        w.u8(owner === undefined ? 0 : 1).string("internal");
      })
      .finish();
  }
}

function addrOf(client: bigint): EntityAddr {
  return { type: "any", nonce: Number(client), family: 4, address: "192.0.2.1", port: 0 };
}

function failed(code: "ENOENT" | "EBUSY" | "SIPHON_RADOS_TIMEOUT"): RadosError {
  return new RadosError(code, code);
}

const methods = ["lock", "unlock", "break_lock", "set_cookie", "assert_locked"].toSorted(
  (a, b) => b.length - a.length,
);
