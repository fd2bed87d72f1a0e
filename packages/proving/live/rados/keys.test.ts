import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { LocalCluster } from "@siphon/lab";
import { Cluster, type MonEvent } from "@siphon/rados";
import { Random } from "../../../rados/test/support/random.ts";
import { ObjectLoad } from "../../soak/rados/faults/object-load.ts";
import { hasAes256k } from "../../support/rados/ceph-release.ts";
import { upForTest } from "../../support/rados/live-modes.ts";
import { until } from "../../support/until.ts";

/** Lifetime of tickets in seconds. Changes take effect when tickets are renewed. */
const lifetime = 6;

describe("keys of types aes and aes256k side by side", {
  skip: !hasAes256k && "this Ceph has no aes256k",
}, () => {
  let ceph: LocalCluster;
  let admin: Cluster;
  let directory = "";
  /** Keys by user. */
  const keys = new Map<string, string>();

  before(async () => {
    const settings = { auth_mon_ticket_ttl: lifetime, auth_service_ticket_ttl: lifetime };
    ceph = await upForTest("rados-keys", { auth: "cephx", wire: "any", mons: 1, settings });
    admin = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
    await monSet("auth_allowed_ciphers", "aes,aes256k");
    directory = await mkdtemp(join(tmpdir(), "siphon-keys-"));
    for (const type of ["aes", "aes256k"]) {
      const entity = `client.${type}`;
      const caps = ["mon", "allow *", "osd", "allow *", "mgr", "allow *"];
      const make = () => admin.command({ prefix: "auth get-or-create", entity, caps, key_type: type });
      // Keys of a newly allowed type cannot be made before the cluster checks its health again.
      const made = await eventually(make);
      keys.set(entity, (made as { key: string }[])[0]!.key);
    }
    await admin.createPool({ name: "keys", pgs: 4, size: 1, application: "rados" });
  });

  after(async () => {
    admin?.close();
    await ceph?.down();
    if (directory !== "") await rm(directory, { recursive: true });
  });

  const monSet = (name: string, value: string) => admin.command({ prefix: "mon set", name, value });

  /** Connects with the user's key in a separate keyring file. */
  async function connect(user: string, settings: Record<string, string> = {}): Promise<Cluster> {
    await writeKeyring(user, keys.get(user)!);
    const keyring = { keyring: join(directory, user) };
    return Cluster.connect({ conf: ceph.conf, name: user, settings: { ...keyring, ...settings }, env: {} });
  }

  /** Replaces the keyring by a new file, as administrators do. */
  async function writeKeyring(user: string, key: string): Promise<void> {
    const file = join(directory, user);
    await writeFile(`${file}.new`, `[${user}]\n\tkey = ${key}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  /** Runs a load on one handle, then checks that every acknowledged write is there exactly once. */
  async function underLoad(
    cluster: Cluster,
    work: (progress: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const pool = await cluster.pool("keys", { namespace: `n${cluster.globalId}` });
    const load = new ObjectLoad(pool, new Random(7));
    const stop = new AbortController();
    const running = load.run(stop.signal);
    const failed = running.then(() => new Promise<never>(() => {}));
    try {
      const progress = async () => {
        const before = load.operations;
        await until(() => load.operations > before + 100, { progress: () => load.operations });
      };
      await Promise.race([failed, work(progress)]);
    } finally {
      stop.abort();
    }
    await running;
    await load.verify(await admin.pool("keys", { namespace: pool.namespace }));
  }

  for (const user of ["client.aes", "client.aes256k"]) {
    for (const mode of ["crc", "secure"]) {
      test(`${user}: commands to daemons of every kind, objects written and read, ${mode}`, async () => {
        await using cluster = await connect(user, { ms_client_mode: mode, ms_mon_client_mode: mode });
        for (const target of ["mon", { mgr: "active" }, { osd: 0 }] as const) {
          await cluster.command({ prefix: "version" }, { target });
        }
        const pool = await cluster.pool("keys");
        await pool.writeFull(user, Buffer.from(mode));
        assert.equal((await pool.read(user)).toString(), mode);
      });
    }
  }

  test("the types of tickets and of new keys change while clients with keys of both types work", async () => {
    await using old = await connect("client.aes");
    await using newer = await connect("client.aes256k");
    const change = async (progress: () => Promise<void>) => {
      for (const [name, value] of [
        ["auth_service_cipher", "aes"],
        ["auth_preferred_cipher", "aes"],
        ["auth_service_cipher", "aes256k"],
        ["auth_preferred_cipher", "aes256k"],
      ] as const) {
        const renewed = events("tickets", 4);
        await monSet(name, value);
        await renewed;
        await progress();
      }
    };
    await Promise.all([
      underLoad(old, change),
      underLoad(newer, async (progress) => {
        for (let round = 0; round < 4; round++) {
          await events("tickets", 2);
          await progress();
        }
      }),
    ]);
  });

  test("a client whose key type is no longer allowed waits, reports it, and continues when the type is allowed again", async () => {
    await using cluster = await connect("client.aes");
    const pool = await cluster.pool("keys");
    await pool.writeFull("kept", Buffer.from("1"));
    const refused = events("hunting", 1, (event) => event.error?.code === "SIPHON_RADOS_AUTH");
    await monSet("auth_allowed_ciphers", "aes256k");
    const error = await refused.then((event) => event.error!);
    assert.match(
      error.message,
      /the cluster rejected client\.aes: .* keys of type aes are not allowed \(EACCES\)/,
    );
    assert.match(error.hint ?? "", /ceph auth rotate client\.aes/);
    await assert.rejects(connect("client.aes"), {
      code: "SIPHON_RADOS_AUTH",
      message: /keys of type aes are not allowed/,
    });
    const version = cluster.command({ prefix: "version" });
    await monSet("auth_allowed_ciphers", "aes,aes256k");
    await version;
    await pool.append("kept", Buffer.from("2"));
    assert.equal((await pool.read("kept")).toString(), "12");
  });

  test("a key is rotated under load, by a pending key and directly, to the other type and back: nothing is lost", async () => {
    const user = "client.aes";
    await using cluster = await connect(user);
    await underLoad(cluster, async (progress) => {
      // A pending key replaces the old one when it is first used.
      const pending = await admin.command({ prefix: "auth get-or-create-pending", entity: user });
      const { pending_key } = (pending as { pending_key: string }[])[0]!;
      await progress();
      keys.set(user, pending_key);
      const again = events("session", 2);
      await using second = await connect(user);
      await second.command({ prefix: "version" });
      await again;
      await progress();
      for (const key_type of ["aes256k", "aes"]) {
        const rotate = () => admin.command({ prefix: "auth rotate", entity: user, key_type });
        const rotated = await eventually(rotate);
        keys.set(user, (rotated as { key: string }[])[0]!.key);
        const back = events("session", 1);
        await writeKeyring(user, keys.get(user)!);
        await back;
        await progress();
      }
    });
    assert.ok(Buffer.from(keys.get(user)!, "base64").readUInt16LE(0) === 1);
  });

  test("the monitors wipe their service keys under load: new tickets arrive, and nothing is lost", async () => {
    await using cluster = await connect("client.aes256k");
    await underLoad(cluster, async (progress) => {
      const renewed = events("tickets", 4);
      await admin.command({ prefix: "auth wipe-rotating-service-keys" });
      await renewed;
      await progress();
      // These commands make new connections.
      for (const target of ["mon", { mgr: "active" }, { osd: 0 }] as const) {
        await cluster.command({ prefix: "version" }, { target });
      }
    });
    await using late = await connect("client.aes256k");
    await late.command({ prefix: "version" }, { target: { osd: 0 } });
  });
});

/** Waits for this many events of the monitor sessions in this process, and returns the last. */
function events(kind: MonEvent["event"], count: number, counts = (_: MonEvent) => true): Promise<MonEvent> {
  const name = "siphon:rados:mon";
  let left = count;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(() => reject(new Error(`${left} more of ${kind}`))), 60_000);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      unsubscribe(name, look);
      settle();
    };
    const look = (message: unknown) => {
      const event = message as MonEvent;
      if (event.event === kind && counts(event) && --left === 0) finish(() => resolve(event));
    };
    subscribe(name, look);
  });
}

/** Repeats a request until it succeeds. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 60; ; tries--) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
