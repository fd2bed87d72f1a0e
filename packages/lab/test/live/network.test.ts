import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { clean } from "../../src/clean.ts";
import { LabError } from "../../src/errors.ts";
import { run } from "../../src/host/command.ts";
import { processId } from "../../src/host/proc.ts";
import { links } from "../../src/network/ip.ts";
import { Network, onHost } from "../../src/network/network.ts";
import { overlap, parseSubnet } from "../../src/network/subnet.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-network-"));
process.env.SIPHON_STATE_DIR = dir;
after(() => rmSync(dir, { recursive: true, force: true }));

const source = (file: string) => JSON.stringify(join(import.meta.dirname, "../../src", file));
const namespaces = async () => (await run("ip", ["netns", "list"])).stdout;

/** Says back on its standard output what it hears over TCP, a line each. */
const echo = `
  require("node:net").createServer((socket) => socket.pipe(process.stdout, { end: false }))
    .listen(7000, process.argv[1], () => console.log("up"));`;

test("hosts reach each other and this machine, and have no route to anywhere else", async () => {
  await using network = await Network.create("lab");
  const one = await network.addHost("one");
  const two = await network.addHost("two");

  const listener = spawn("ip", onHost(two, process.execPath, ["-e", echo, two.address]));
  const lines = createInterface({ input: listener.stdout })[Symbol.asyncIterator]();
  const heard = async () => (await lines.next()).value;
  assert.equal(await heard(), "up");
  const say = (words: string) =>
    `require("node:net").connect(7000, ${JSON.stringify(two.address)}).end("${words}\\n")`;
  await run("ip", onHost(one, process.execPath, ["-e", say("from one")]));
  assert.equal(await heard(), "from one");
  await run(process.execPath, ["-e", say("from here")]);
  assert.equal(await heard(), "from here");

  const routes = await run("ip", ["-netns", one.namespace, "route"]);
  assert.match(
    routes.stdout.trim(),
    new RegExp(`^${network.subnet} dev eth0 \\S.*$`),
    "one route, to its own",
  );
});

test("two networks side by side take different bridges and addresses", async () => {
  await using one = await Network.create("first");
  await using two = await Network.create("second");
  assert.notEqual(one.bridge, two.bridge);
  assert.ok(!overlap(parseSubnet(one.subnet), parseSubnet(two.subnet)));
});

test("a range that this machine has an address in, or a route to, is left alone", async () => {
  const first = await Network.create("probe");
  const { subnet } = first;
  await first.remove();
  await run("ip", ["route", "add", "unreachable", subnet]);
  try {
    await using next = await Network.create("next");
    assert.notEqual(next.subnet, subnet);
  } finally {
    await run("ip", ["route", "delete", "unreachable", subnet]);
  }
});

test("a tap for a guest is a port of the bridge, with an address of its own", async () => {
  await using network = await Network.create("taps");
  const host = await network.addHost("one");
  const tap = await network.addTap("guest");
  assert.notEqual(tap.address, host.address);
  const ports = await links("look", ["master", network.bridge]);
  assert.ok(ports.some(({ ifname }) => ifname === tap.interface));
});

test("disposing removes bridge, ports and namespaces, and ends what runs in them", async () => {
  let child: ReturnType<typeof spawn>;
  let bridge: string;
  {
    await using network = await Network.create("scoped");
    bridge = network.bridge;
    const host = await network.addHost("one");
    await network.addTap("guest");
    child = spawn("ip", onHost(host, "sleep", ["60"]), { env: { PATH: process.env.PATH } });
    await once(child, "spawn");
    while (!(await run("ip", ["netns", "pids", host.namespace])).stdout.trim()) await sleep(20);
  }
  assert.equal(processId(child.pid!), undefined);
  assert.ok(!(await links("look")).some(({ ifname }) => ifname.startsWith(bridge)));
  assert.ok(!(await namespaces()).includes(`${bridge}-`));
});

test("clean removes the network of a process that was killed", async () => {
  const script = `
    import { Network } from ${source("network/network.ts")};
    const network = await Network.create("orphan");
    await network.addHost("one");
    process.send(network.bridge);
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [bridge] = (await once(owner, "message")) as [string];
  owner.kill("SIGKILL");
  await once(owner, "exit");
  const removed = await clean();
  assert.deepEqual(
    removed.map(({ kind, name }) => `${kind}/${name}`),
    ["networks/orphan"],
  );
  assert.ok(!(await links("look")).some(({ ifname }) => ifname.startsWith(bridge)));
  assert.ok(!(await namespaces()).includes(`${bridge}-`));
});

test("without root it says so, and leaves nothing behind", async () => {
  const state = join(dir, "nobody");
  mkdirSync(state);
  chmodSync(dir, 0o711);
  chmodSync(state, 0o777);
  const script = `
    import { Network } from ${source("network/network.ts")};
    import { Resource } from ${source("state/resource.ts")};
    // Nobody else may be able to read the checkout.
    process.setgroups([]);
    process.setuid(65534);
    const error = await Network.create("mine").catch((error) => error);
    console.log(JSON.stringify([error.code, error.message, (await Resource.list("networks")).length]));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
    env: { SIPHON_STATE_DIR: state },
    cwd: state,
  });
  assert.deepEqual(JSON.parse(stdout), [
    "SIPHON_PERMISSION",
    "cannot make the network mine: that needs root",
    0,
  ]);
});

test("a host's name must fit an interface's namespace", async () => {
  await using network = await Network.create("names");
  await assert.rejects(
    network.addHost("../x"),
    (error: unknown) => error instanceof LabError && error.code === "SIPHON_USAGE",
  );
});
