import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, afterEach, before, describe, test } from "node:test";
import { createImage, LocalCluster } from "@siphon/lab";
import { Attachd, type Disk, placesIn } from "../../support/attach/attachd.ts";
import { CheckedLoad } from "../../support/attach/checked-load.ts";
import { FdStore } from "../../support/attach/fd-store.ts";
import { run } from "../../support/attach/run.ts";
import { nbdSurvivor, vhostSurvivor } from "../../support/attach/survivors.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-attachd-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");
const images = ["one", "two"];
const places = placesIn(directory);
const socketOf = (name: string): string => join(places.run, `${name}.sock`);

describe("siphon attachd", () => {
  let ceph: LocalCluster;
  let attachd: Attachd | undefined;

  before(async () => {
    const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
    // Seconds after which a killed service no longer counts as alive, and its locks can be taken.
    ceph = await LocalCluster.up({ name: "attachd", ...spec, settings: { osd_client_watch_timeout: 5 } });
    for (const image of images) await createImage(ceph.admin, { image, size: 64 << 20 });
  });

  afterEach(async () => {
    await attachd?.kill();
    for (const each of [places.disks, places.run]) rmSync(each, { recursive: true, force: true });
  });

  after(async () => {
    await ceph?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  async function start(...args: string[]): Promise<Attachd> {
    attachd = await Attachd.start({ directory, conf: ceph.conf, args });
    return attachd;
  }

  const lockOf = (image: string) => run("rbd", ["-c", ceph.conf, "lock", "ls", `libvirt-pool/${image}`]);
  const addNbd = (service: Attachd, name: string, ...more: string[]) =>
    service.ask("add", `libvirt-pool/${name}`, "--as", name, "--nbd", socketOf(name), ...more);

  for (const shards of ["1", "2"]) {
    test(`disks come and go, survive a kill and a restart, and change limits under load, with ${shards} worker processes`, async () => {
      const [one, two] = [`one-${shards}`, `two-${shards}`] as const;
      for (const image of [one, two]) await createImage(ceph.admin, { image, size: 64 << 20 });
      let service = await start("--shards", shards);
      const first = await addNbd(service, one, "--persist");
      assert.deepEqual([first.state, first.persistent], ["serving", true]);
      const second = await service.ask("add", `libvirt-pool/${two}`, "--as", two, "--limit", "iops=5000");
      assert.deepEqual([second.state, second.persistent, second.limits], ["serving", false, "iops=5000"]);
      assert.match(readFileSync(join(places.disks, `${one}.conf`), "utf8"), /^image = libvirt-pool\/one/m);
      await using stack = new AsyncDisposableStack();
      const nbd = stack.use(await nbdSurvivor(socketOf(one), `libvirt-pool/${one}`));
      const vhost = stack.use(await vhostSurvivor(socketOf(two)));
      const loads = [nbd, vhost].map(({ lanes }) => new CheckedLoad(lanes, 2048)) as [
        CheckedLoad,
        CheckedLoad,
      ];
      const bothGoOn = () => Promise.all(loads.map((load) => load.goesOn()));
      await bothGoOn();

      const listed = await service.ask<Disk[]>("list");
      assert.deepEqual(
        listed.map(({ name, state, connections }) => [name, state, connections > 0]),
        [
          [one, "serving", true],
          [two, "serving", true],
        ],
      );
      if (shards === "2") assert.notEqual(listed[0]!.shard, listed[1]!.shard);
      assert.ok(listed.every(({ io }) => io.write.operations > 0));
      await assert.rejects(service.ask("rm", one), /a client is connected to one.*\n.*--force/);
      assert.equal((await service.ask("limit", one, "write-iops=2000")).limits, "write-iops=2000");
      await bothGoOn();
      assert.equal((await service.ask("limit", one)).limits, "");

      assert.equal((await service.ask("drain", one)).state, "drained");
      assert.equal(await lockOf(one), "");
      const stands = loads[0].acknowledged;
      await loads[1].goesOn();
      assert.ok(loads[0].acknowledged - stands <= nbd.lanes.length);
      assert.equal((await service.ask("resume", one)).state, "serving");
      await bothGoOn();

      vhost.lost();
      await service.kill();
      service = await start("--shards", shards);
      await service.servesAll();
      await vhost.found();
      await bothGoOn();
      assert.equal((await service.ask("show", two)).limits, "iops=5000");

      vhost.lost();
      await service.stop();
      assert.ok([socketOf(one), socketOf(two), places.control].every((socket) => !existsSync(socket)));
      assert.equal((await lockOf(one)) + (await lockOf(two)), "");
      service = await start("--shards", shards);
      await service.servesAll();
      await vhost.found();
      await bothGoOn();

      await Promise.all(loads.map((load) => load.stop()));
      assert.ok(loads.every(({ verified }) => verified > 0));
      for (const name of [one, two]) await service.ask<null>("rm", name, "--force");
      assert.deepEqual(await service.ask("list"), []);
      assert.equal((await lockOf(one)) + (await lockOf(two)), "");
      assert.ok(!existsSync(join(places.disks, `${one}.conf`)));
      await service.stop();
    });
  }

  test("a client that connects during a restart waits for the service if the service manager keeps its sockets", async () => {
    using manager = new FdStore(join(directory, "notify"));
    const startIt = async () => {
      attachd = await Attachd.start({ directory, conf: ceph.conf, manager });
      return attachd;
    };
    let service = await startIt();
    await addNbd(service, "one");
    await using vm = await nbdSurvivor(socketOf("one"), "libvirt-pool/one");
    const load = new CheckedLoad(vm.lanes, 2048);
    await load.goesOn();
    await manager.stores(2);
    await service.stop();

    const waiting = [socketOf("one"), places.control].map((path) => connect(path));
    for (const socket of waiting) await once(socket, "connect");
    waiting[1]!.end('{"command":"list"}\n');
    service = await startIt();
    const [greeting] = (await once(waiting[0]!, "data")) as [Buffer];
    assert.equal(greeting.toString("latin1", 0, 8), "NBDMAGIC");
    waiting[0]!.destroy();
    assert.equal(JSON.parse(await text(waiting[1]!)).result[0].name, "one");
    await load.goesOn();
    await load.stop();

    await service.ask<null>("rm", "one", "--force");
    await manager.stores(1);
    assert.ok(!existsSync(socketOf("one")));
    await service.stop();
  });

  test("an invalid file is reported and harms no other disk, and SIGHUP reads the files again", async () => {
    let service = await start();
    await addNbd(service, "one", "--persist");
    await service.stop();
    const file = (name: string) => join(places.disks, `${name}.conf`);
    writeFileSync(file("bad"), "image = libvirt-pool/two\nthis is no line\n");
    writeFileSync(file("worse"), Buffer.alloc(200_000, 0xff));
    writeFileSync(file("none"), "image = libvirt-pool/none\n");
    await run("mkfifo", [file("pipe")]);
    service = await start();
    const states = Object.fromEntries(
      (await service.ask<Disk[]>("list")).map(({ name, state, error }) => [name, `${state}: ${error ?? ""}`]),
    );
    assert.deepEqual(states, {
      bad: "failed: line 2 is not NAME = VALUE",
      worse: "failed: it has more than 65536 bytes",
      pipe: `failed: ${file("pipe")} is not a regular file`,
      none: "failed: there is no image libvirt-pool/none",
      one: "serving: ",
    });
    assert.match(service.log, /bad\.conf is skipped: line 2 is not NAME = VALUE/);

    rmSync(file("one"));
    writeFileSync(file("bad"), "# better now\nimage = libvirt-pool/two\nlimit = iops=100\n");
    for (const name of ["worse", "pipe"]) await service.ask<null>("rm", name);
    const { said } = service;
    service.child.kill("SIGHUP");
    await service.told(/^serves 1 of 2 disks/, said);
    assert.equal(await lockOf("one"), "");
    assert.equal((await service.ask("show", "bad")).limits, "iops=100");
    // An image that appears later is served as well.
    await createImage(ceph.admin, { image: "none", size: 16 << 20 });
    await service.told(/^none: libvirt-pool\/none is served/);
    await service.stop();
  });

  test("an add that fails changes nothing, and says why", async () => {
    const service = await start();
    await assert.rejects(addNbd(service, "nowhere", "--persist"), /there is no image libvirt-pool\/nowhere/);
    await addNbd(service, "one");
    await assert.rejects(addNbd(service, "one"), /disk one already exists\n.*siphon attach show one/);
    const again = ["add", "libvirt-pool/one", "--as", "other", "--nbd", socketOf("other")];
    await assert.rejects(service.ask(...again), /libvirt-pool\/one is already served as one/);
    const taken = ["add", "libvirt-pool/two", "--as", "two", "--nbd", socketOf("one")];
    await assert.rejects(service.ask(...taken), /another program is listening on/);
    assert.equal(await lockOf("two"), "");
    assert.deepEqual(
      (await service.ask<Disk[]>("list")).map(({ name }) => name),
      ["one"],
    );
    assert.ok(!existsSync(places.disks) || !existsSync(join(places.disks, "nowhere.conf")));
    await service.stop();
  });

  test("a disk whose client was put on the blocklist is served again after a drain", async () => {
    const service = await start();
    await addNbd(service, "one");
    const status = await run("rbd", ["-c", ceph.conf, "status", "--format", "json", "libvirt-pool/one"]);
    const [watcher] = JSON.parse(status).watchers;
    await run("ceph", ["-c", ceph.conf, "osd", "blocklist", "add", watcher.address]);
    await service.told(/nothing is acknowledged any more/);
    // Data that was not flushed is lost, and the service says so.
    await service.ask("drain", "one").catch(() => {});
    assert.equal((await service.ask("show", "one")).state, "drained");
    assert.equal((await service.ask("resume", "one")).state, "serving");
    const again = await run("rbd", ["-c", ceph.conf, "status", "--format", "json", "libvirt-pool/one"]);
    assert.notEqual(JSON.parse(again).watchers.at(-1).address, watcher.address);
    await addNbd(service, "two");
    await service.stop();
  });

  test("garbage, floods and clients that hang up on the control socket harm no other client", async () => {
    const service = await start();
    await addNbd(service, "one");
    assert.equal(statSync(places.control).mode & 0o777, 0o600);
    const client = async (): Promise<Socket> => {
      const socket = connect(places.control);
      socket.on("error", () => {});
      await new Promise((resolve) => socket.once("connect", resolve));
      return socket;
    };
    for (const [sent, said] of [
      ["\0\xff garbage\n", /it is not JSON/],
      ["[]\n", /it is not an object/],
      ['{"command":"constructor"}\n', /its command must be one of add, rm/],
      ['{"command":"show"}\n', /name is missing/],
      ['{"command":"show","name":["one"]}\n', /name is not of type string/],
      ['{"command":"add","name":"x","disk":null}\n', /disk is no/],
      ['{"command":"list","name":"x"}\n', /list has no member/],
      ["x".repeat(1 << 20), /a request has at most 65536 bytes/],
    ] as const) {
      const socket = await client();
      socket.write(sent);
      assert.match(await text(socket), said);
    }
    const add = (name: string, disk: object) => `${JSON.stringify({ id: 7, command: "add", name, disk })}\n`;
    for (const [request, said] of [
      [add("../x", { image: "libvirt-pool/two" }), /invalid disk name/],
      [add("x", { image: "libvirt-pool/two", vhost: "x.sock" }), /x\.sock is not an absolute path/],
      [add("x", { image: "libvirt-pool/two", "x\ny": "" }), /a disk has no option/],
      [add("x", { image: "libvirt-pool/two\nvhost = /x" }), /image must be one line of text/],
    ] as const) {
      const socket = await client();
      socket.end(request);
      const answer = await text(socket);
      assert.match(answer, said);
      assert.equal(JSON.parse(answer).id, 7);
    }
    // One client hangs up at once, one never sends anything, one reads no answers.
    const silent = await Promise.all(Array.from({ length: 20 }, client));
    const flooding = await client();
    const flood = '{"command":"list"}\n'.repeat(50_000);
    flooding.pause();
    flooding.write(flood);
    for (let i = 0; i < 50; i++) {
      const socket = await client();
      socket.write('{"command":"list"}\n{"command":');
      socket.destroy();
    }
    const resident = () =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${service.child.pid}/status`, "utf8"))![1]);
    const before = resident();
    for (let i = 0; i < 20; i++) assert.equal((await service.ask("show", "one")).state, "serving");
    assert.ok(resident() - before < 64 << 10, "a client that takes no answers costs no memory");
    for (const socket of [...silent, flooding]) socket.destroy();
    await service.stop();
  });
});
