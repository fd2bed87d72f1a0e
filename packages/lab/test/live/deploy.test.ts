import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { on, once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { stringify } from "yaml";
import { builtProgram } from "../../../../scripts/build/built-program.ts";
import { clean } from "../../src/clean.ts";
import { Deployment, type DeploymentStatus, destroy, destroyRecorded } from "../../src/deploy/deployment.ts";
import { type InventoryInput, parseInventory } from "../../src/deploy/inventory.ts";
import { LabError } from "../../src/errors.ts";
import { run } from "../../src/host/command.ts";
import { Resource } from "../../src/state/resource.ts";
import { SshHosts } from "../support/ssh-hosts.ts";
import { TestStateDir } from "../support/state-dir.ts";

const state = new TestStateDir();
const hosts = await SshHosts.start({
  node1: undefined,
  node2: undefined,
  node3: undefined,
  tiny: 2 * 2 ** 20,
});
after(async () => {
  await hosts[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

afterEach(async () => {
  const left = await Resource.find("clusters", "lab");
  if (left) await destroyRecorded(left);
});

const three = ["node1", "node2", "node3"];
const image = join(hosts.dir, "disk.img");

/** A monitor and an OSD on each; what else a host's OSD is to have, by its name. */
function inventory(stores: Record<string, object> = {}, names = three): InventoryInput {
  return {
    name: "lab",
    ssh: { user: "root", identity: hosts.identity },
    hosts: names.map((name) => ({
      ...hosts.host(name),
      mon: true,
      osds: [stores[name] ?? { size: "2G" }],
    })),
    cluster: { osdMemoryTarget: "1G", pgs: 16 },
  };
}

function siphon(...args: string[]) {
  const main = builtProgram();
  return run(process.execPath, [main, ...args], { anyExitCode: true, timeoutMs: 300_000 });
}

/** Nothing runs on the hosts, and nothing lies there that was not there before. */
async function assertNoTrace(names = three): Promise<void> {
  for (const name of names) assert.deepEqual(await hosts.traces(name), [], name);
}

const failsWith = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LabError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

test("the obstacles of all hosts are reported at once, and nothing is changed", async () => {
  await run("truncate", ["--size=2G", image]);
  await run("mkfs.ext4", ["-q", image]);
  mkdirSync(hosts.directory("node2"));
  writeFileSync(join(hosts.directory("node2"), "thesis.tex"), "\\end{document}");
  const head = async () => (await run("head", ["-c", "4096", image])).stdout;
  const before = await head();

  await assert.rejects(
    Deployment.up(parseInventory(inventory({ node1: { file: image }, node3: { device: "/dev/none" } }))),
    failsWith(
      "SIPHON_REFUSED",
      /disk.img holds data \(ext4\); node2 has other files in .*; on node3, there is no \/dev\/none$/,
    ),
  );
  assert.equal(await head(), before);
  assert.deepEqual(readdirSync(hosts.directory("node2")), ["thesis.tex"]);
  assert.deepEqual(await hosts.traces("node1"), []);
  assert.equal(await Resource.find("clusters", "lab"), undefined);
  rmSync(hosts.directory("node2"), { recursive: true });
});

test("a host that shows another key than the inventory's is not talked to", async () => {
  const { hosts: listed, ...rest } = inventory();
  const other = hosts.host("node1").hostKey;
  const changed = { ...rest, hosts: listed.map((host) => ({ ...host, hostKey: other })) };
  await assert.rejects(
    Deployment.up(parseInventory(changed)),
    failsWith("SIPHON_PERMISSION", /cannot reach node2 over ssh/),
  );
  await assertNoTrace();
});

test("a cluster is deployed, used, made anew and taken down without a trace", async () => {
  const file = join(hosts.dir, "inventory.yaml");
  writeFileSync(file, stringify(inventory({ node1: { file: image } })));
  const deploy = (...args: string[]) => siphon("cluster", "deploy", "--hosts", file, "--json", ...args);

  const first = await deploy("--wipe", `node1:${image}`);
  assert.equal(first.exitCode, 0, first.stderr);
  const status = JSON.parse(first.stdout) as DeploymentStatus;
  assert.equal(status.ceph?.health, "HEALTH_OK");
  assert.deepEqual(
    status.hosts.map(({ daemons }) => daemons.join(" ")),
    ["mon.a mgr.x osd.0", "mon.b osd.1", "mon.c osd.2"],
  );
  for (const name of ["ceph.conf", "client.admin.keyring", "client.libvirt.keyring"]) {
    assert.equal(statSync(join(status.dir, name)).mode & 0o777, 0o600, name);
  }

  const rados = (host: string, ...args: string[]) =>
    hosts.run(host, "rados", ["--conf", status.conf, "--id", "libvirt", "--pool", "libvirt-pool", ...args]);
  const [written, read] = [join(hosts.dir, "written"), join(hosts.dir, "read")];
  writeFileSync(written, "from node2");
  await rados("node2", "put", "object", written);
  await rados("node3", "get", "object", read);
  assert.equal(readFileSync(read, "utf8"), "from node2");
  const admin = ["--conf", status.conf, "--format", "json"];
  const tree = JSON.parse((await run("ceph", [...admin, "osd", "tree"])).stdout) as {
    nodes: { type: string; name: string }[];
  };
  assert.deepEqual(
    tree.nodes
      .filter(({ type }) => type === "host")
      .map(({ name }) => name)
      .sort(),
    three,
  );

  const again = await deploy();
  assert.equal(again.exitCode, 1);
  assert.match(again.stderr, /the deployment lab is there already.*\n.*--recreate/);

  const anew = await deploy("--recreate");
  assert.equal(anew.exitCode, 0, anew.stderr);
  assert.notEqual(
    (JSON.parse(anew.stdout.slice(anew.stdout.indexOf("{"))) as DeploymentStatus).fsid,
    status.fsid,
  );

  const end = await deploy("--destroy");
  assert.equal(end.exitCode, 0, end.stderr);
  await assertNoTrace();
  assert.ok(!existsSync(image), "an OSD's file goes with it");
  assert.equal(await Resource.find("clusters", "lab"), undefined);
});

test("an interruption undoes the unfinished deployment", async () => {
  const stop = new AbortController();
  const onStep = (step: string) => step === "starting monitors" && stop.abort(new Error("interrupted"));
  await assert.rejects(
    Deployment.up(parseInventory(inventory()), { signal: stop.signal, onStep }),
    /interrupted/,
  );
  await assertNoTrace();
  assert.equal(await Resource.find("clusters", "lab"), undefined);
});

test("a full disk is said, and undone", async () => {
  const small = parseInventory(inventory({}, ["tiny", "node2"]));
  await assert.rejects(
    Deployment.up(small),
    failsWith("SIPHON_NO_SPACE", /^tiny cannot .*: no space is left there$/),
  );
  await assertNoTrace(["tiny", "node2"]);
});

test("a host that dies on the way is named, the others are cleaned, and it can be cleaned when it is back", async () => {
  const listed = parseInventory(inventory());
  const onStep = (step: string) => step === "making stores" && void hosts.kill("node3");
  await assert.rejects(
    Deployment.up(listed, { onStep }),
    failsWith(
      "SIPHON_HOST",
      /the connection to node3 has ended: .*; the deployment lab could not be taken down on node3/,
    ),
  );
  await assertNoTrace(["node1", "node2"]);
  await assert.rejects(destroy(listed), failsWith("SIPHON_HOST", /could not be taken down on node3/));

  await hosts.boot("node3");
  await destroy(listed);
  await assertNoTrace();
});

test("clean removes from the hosts what a killed siphon began", async () => {
  const source = (file: string) => JSON.stringify(join(import.meta.dirname, "../../src/deploy", file));
  const script = `
    import { Deployment } from ${source("deployment.ts")};
    import { parseInventory } from ${source("inventory.ts")};
    const onStep = (step) => process.send(step);
    await Deployment.up(parseInventory(${JSON.stringify(inventory())}), { onStep });`;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(owner, "exit");
  for await (const [step] of on(owner, "message", { close: ["exit"] })) {
    if (step === "starting monitors") break;
  }
  owner.kill("SIGKILL");
  await exited;
  const removed = await clean();
  assert.deepEqual(
    removed.map(({ kind, name }) => `${kind}/${name}`),
    ["clusters/lab"],
  );
  await assertNoTrace();
});
