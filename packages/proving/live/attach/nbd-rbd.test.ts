import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createImage, LocalCluster } from "@siphon/lab";
import { builtProgram } from "../../../../scripts/build/built-program.ts";
import { NbdClient } from "../../../attach/test/support/nbd-client.ts";
import { run } from "../../support/attach/run.ts";
import { SiphonAttach } from "../../support/attach/siphon-attach.ts";
import { frozen } from "../../support/frozen.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-nbd-rbd-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");

const pool = "libvirt-pool";
const socket = join(directory, "nbd.sock");
const MiB = 1 << 20;

describe("siphon attach over NBD", () => {
  let ceph: LocalCluster;
  let server: SiphonAttach | undefined;

  before(async () => {
    const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
    // Seconds after which a killed client no longer counts as alive, and its lock can be taken.
    const settings = { osd_client_watch_timeout: 5 };
    ceph = await LocalCluster.up({ name: "nbd-rbd", ...spec, settings });
    for (const image of ["one", "two"]) await createImage(ceph.admin, { image, size: 64 * MiB });
    await attach(`${pool}/one`, `${pool}/two`);
  });

  after(async () => {
    await server?.kill();
    await ceph?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  async function attach(...args: string[]): Promise<SiphonAttach> {
    // The server of a failed test.
    await server?.kill();
    server = await SiphonAttach.start(...args, "--nbd", socket, "--conf", ceph.conf);
    return server;
  }

  /** Runs an action while no daemon answers. */
  async function whileFrozen<T>(happens: () => Promise<T>): Promise<T> {
    using _ = await frozen([...ceph.osdPids, ...ceph.monPids]);
    return await happens();
  }

  const uri = (image: string) => `nbd+unix:///${pool}/${image}?socket=${socket}`;
  const rbd = (...args: string[]) => run("rbd", ["-c", ceph.conf, ...args]);
  const qemuIo = async (image: string, ...commands: string[]) => {
    const said = await run("qemu-io", ["-f", "raw", ...commands.flatMap((each) => ["-c", each]), uri(image)]);
    assert.doesNotMatch(said, /fail|error/i);
  };

  test("every image is an export, and its lock is held as long as it is attached", async () => {
    assert.deepEqual(
      server!.told.map(({ image, size }) => [image, size]),
      [
        [`${pool}/one`, 64 * MiB],
        [`${pool}/two`, 64 * MiB],
      ],
    );
    const listed = await run("nbdinfo", ["--list", `nbd+unix:///?socket=${socket}`]);
    assert.match(listed, /export="libvirt-pool\/one"[\s\S]*export="libvirt-pool\/two"/);
    assert.match(await rbd("lock", "ls", `${pool}/one`), /client\.\d+/);
  });

  test("librbd reads what QEMU writes, and the export's block status is that of rbd diff", async () => {
    await qemuIo(
      "one",
      "write -P 7 1M 9M",
      "write -P 8 12345 6789",
      "write -z -u 4M 4M",
      "discard 20M 4M",
      "flush",
    );
    const same = [
      "qemu-img",
      ["compare", "-f", "raw", "-F", "raw", uri("one"), `rbd:${pool}/one:conf=${ceph.conf}`],
    ] as const;
    assert.match(await run(...same), /identical/);
    assert.deepEqual(await extents("base:allocation", (type) => type === 0), await diff());
  });

  test("the changes since a snapshot of rbd are those that rbd export-diff would copy", async () => {
    await rbd("snap", "create", "--no-progress", `${pool}/one@monday`);
    await qemuIo("one", "write -P 9 2M 64k", "write -P 1 40M 4k", "discard 8M 4M");
    const changed = await extents("siphon:diff/monday", (type) => (type & 1) === 1);
    assert.deepEqual(changed, await diff("--from-snap", "monday"));
    assert.ok(changed.length >= 2);
  });

  async function extents(context: string, counts: (type: number) => boolean): Promise<[number, number][]> {
    const map = JSON.parse(await run("nbdinfo", [`--map=${context}`, "--json", uri("one")])) as {
      offset: number;
      length: number;
      type: number;
    }[];
    return joined(map.filter(({ type }) => counts(type)).map(({ offset, length }) => [offset, length]));
  }

  /** Extents of `rbd diff` with data or changes. */
  async function diff(...from: string[]): Promise<[number, number][]> {
    const all = JSON.parse(await rbd("diff", ...from, "--format", "json", `${pool}/one`)) as {
      offset: string;
      length: string;
      exists: string;
    }[];
    const counted = all.filter(({ exists }) => from.length > 0 || exists === "true");
    return joined(counted.map(({ offset, length }) => [Number(offset), Number(length)]));
  }

  test("fio's data survives on two images under load at once, and the object maps stay right", async () => {
    const job = ["--rw=randrw", "--bs=512-128k", "--size=16m", "--iodepth=32", "--verify=crc32c"];
    const quiet = ["--verify_state_save=0", "--output-format=json"];
    await Promise.all(
      ["one", "two"].map((image) =>
        run("fio", ["--name=v", "--ioengine=nbd", `--uri=${uri(image)}`, ...job, ...quiet]),
      ),
    );
    await server!.stop();
    for (const image of ["one", "two"]) {
      assert.equal(await rbd("lock", "ls", `${pool}/${image}`), "");
      await rbd("object-map", "check", "--no-progress", `${pool}/${image}`);
      assert.doesNotMatch(await rbd("info", `${pool}/${image}`), /invalid/);
    }
    assert.ok(!existsSync(socket));
  });

  test("a snapshot is served read-only while its image is written to", async () => {
    await attach(`${pool}/one@monday`);
    const { exports } = JSON.parse(await run("nbdinfo", ["--json", uri("one@monday")])) as {
      exports: [{ is_read_only: boolean }];
    };
    assert.equal(exports[0].is_read_only, true);
    const snapshot = `rbd:${pool}/one@monday:conf=${ceph.conf}`;
    assert.match(
      await run("qemu-img", ["compare", "-f", "raw", "-F", "raw", uri("one@monday"), snapshot]),
      /identical/,
    );
    await server!.stop();
  });

  test("after a server was killed its image is attached again at once: its stale socket and lock are removed", async () => {
    await attach(`${pool}/one`);
    await qemuIo("one", "write -f -P 5 30M 1M");
    await server!.kill();
    await attach(`${pool}/one`);
    await qemuIo("one", "read -P 5 30M 1M", "write -P 6 30M 1M");
    await server!.stop();
  });

  test("after another client has taken the lock, nothing more is acknowledged", async () => {
    await attach(`${pool}/one`);
    await qemuIo("one", "write -f -P 7 30M 1M");
    const [lock] = (await ceph.admin.rbdJson(["lock", "ls", `${pool}/one`])) as [{ address: string }];
    await ceph.admin.command(["osd", "blocklist", "add", lock.address]);
    for (let tries = 0; ; tries++) {
      const write = ["-f", "raw", "-c", "write -P 8 30M 64k", uri("one")];
      const failed = await run("qemu-io", write).then(
        (said) => /fail|error/i.test(said),
        () => true,
      );
      if (failed) break;
      assert.ok(tries < 20, "writes are acknowledged for ever");
    }
    await assert.rejects(qemuIo("one", "write -P 8 31M 64k"));
  });

  test("after rbd has enlarged an image, the next client sees the new size", async () => {
    await attach(`${pool}/two`);
    await rbd("resize", "--no-progress", "--size", "96M", `${pool}/two`);
    const { exports } = JSON.parse(await run("nbdinfo", ["--json", uri("two")])) as {
      exports: [{ "export-size": number }];
    };
    assert.equal(exports[0]["export-size"], 96 * MiB);
    await qemuIo("two", "write -P 2 90M 1M");
    await server!.stop();
  });

  test("an image's rbd_qos_* take effect when they are set, and --limit takes precedence over them", async () => {
    const millisecondsFor = async (writes: number) => {
      const client = await NbdClient.connect(socket);
      await client.go(`${pool}/two`);
      const begun = performance.now();
      for (let n = 0; n < writes; n++)
        client.send({ type: 1, offset: n * 4096, payload: Buffer.alloc(4096) });
      for (let n = 0; n < writes; n++) await client.simpleReply();
      client.socket.destroy();
      return performance.now() - begun;
    };
    // Ceph's rbd needs the image's lock for this, and the server holds it.
    const config = (...args: string[]) =>
      run(process.execPath, [builtProgram(), "rbd", "config", "image", ...args, "--conf", ceph.conf]);
    await attach(`${pool}/two`);
    await config("set", `${pool}/two`, "rbd_qos_write_iops_limit", "100");
    // A burst of 0.1 s passes at once. The server reads the setting shortly after rbd has ended.
    for (let tries = 0; (await millisecondsFor(60)) < 450; tries++)
      assert.ok(tries < 50, "there is no limit");
    await server!.stop();
    await attach(`${pool}/two`, "--limit", "write-iops=200");
    assert.ok((await millisecondsFor(60)) >= 150);
    await config("rm", `${pool}/two`, "rbd_qos_write_iops_limit");
    await server!.stop();
  });

  test("a shutdown that the cluster blocks is given up, and nothing is acknowledged", async () => {
    const attached = await attach(`${pool}/two`, "--drain-timeout", "1");
    const client = await NbdClient.connect(socket);
    await client.go(`${pool}/two`);
    await whileFrozen(async () => {
      client.send({ type: 1, payload: Buffer.alloc(4096, 3) });
      assert.equal(await attached.terminate(), 1);
    });
    assert.match(attached.errors, /siphon: requests in flight did not finish within 1 s/);
    await assert.rejects(client.simpleReply(), /the server ended the connection/);
    await attach(`${pool}/two`);
    await qemuIo("two", "write -f -P 4 0 64k", "read -P 4 0 64k");
    await server!.stop();
  });

  describe("with a cache", () => {
    const block = (value: number) => ({ length: 4096, payload: Buffer.alloc(4096, value) });
    const read = { type: 0, length: 4096 };
    const flush = { type: 3 };
    let client: NbdClient;

    async function attachCached(policy: string): Promise<void> {
      await attach(`${pool}/two`, "--cache", policy);
      client = await NbdClient.connect(socket);
      await client.go(`${pool}/two`);
    }

    async function detach(): Promise<void> {
      client.socket.destroy();
      await server!.stop();
    }

    /** Whether a reply stays pending. The cluster is frozen, so a reply that comes does not depend on it. */
    async function isPending(reply: Promise<unknown>): Promise<boolean> {
      return Promise.race([reply.then(() => false), pause(500, true)]);
    }

    for (const [policy, value] of [
      ["writeback", 21],
      ["writearound", 22],
    ] as const) {
      test(`${policy}: a write needs no cluster, a flush does, and afterwards librbd sees the data`, async () => {
        await attachCached(policy);
        const flushed = await whileFrozen(async () => {
          client.send({ type: 1, offset: MiB, ...block(value) });
          assert.equal((await client.simpleReply()).error, 0);
          client.send(flush);
          const reply = client.simpleReply();
          assert.ok(await isPending(reply), "flushed without the cluster");
          return { reply };
        });
        assert.equal((await flushed.reply).error, 0);
        const disk = `rbd:${pool}/two:conf=${ceph.conf}`;
        const said = await run("qemu-io", ["-r", "-f", "raw", "-c", `read -P ${value} 1M 4k`, disk]);
        assert.doesNotMatch(said, /fail|error/i);
        await detach();
      });
    }

    test("writethrough: a repeated read needs no cluster, a write waits for it", async () => {
      await attachCached("writethrough");
      client.send(read);
      const { data: before } = await client.simpleReply(4096);
      const written = await whileFrozen(async () => {
        client.send(read);
        assert.deepEqual((await client.simpleReply(4096)).data, before);
        client.send({ type: 1, ...block(23) });
        const reply = client.simpleReply();
        assert.ok(await isPending(reply), "acknowledged without the cluster");
        return { reply };
      });
      assert.equal((await written.reply).error, 0);
      client.send(read);
      assert.deepEqual((await client.simpleReply(4096)).data, block(23).payload);
      await detach();
    });
  });
});

function joined(extents: [number, number][]): [number, number][] {
  const row: [number, number][] = [];
  for (const [offset, length] of extents) {
    const last = row.at(-1);
    if (last !== undefined && last[0] + last[1] === offset) last[1] += length;
    else row.push([offset, length]);
  }
  return row;
}
