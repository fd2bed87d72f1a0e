import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { agree, call, callSiphon, main } from "../support/programs.ts";

const run = promisify(execFile);
let directory: string;
let cluster: LocalCluster;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "siphon-ceph-"));
  const spec = { name: "cli-ceph", osds: 3, store: "memstore", auth: "cephx", wire: "any" } as const;
  cluster = await LocalCluster.up({ ...spec, pgs: 16 });
});

after(async () => {
  await cluster?.down();
  await rm(directory, { recursive: true, force: true });
});

const siphon = (...args: string[]) => callSiphon([...args, "--conf", cluster.conf]);
const ceph = (...args: string[]) => call("ceph", [...args, "--conf", cluster.conf]);

/** The ceph program prints an empty line before JSON. */
function withoutBlankLines(text: string): string {
  return text.split("\n").filter(Boolean).join("\n");
}

for (const words of [
  "osd pool get libvirt-pool all --format json",
  "osd tree -f json-pretty",
  "osd df tree",
  "mon dump --format json",
  "auth get client.libvirt",
  "pg ls-by-pool libvirt-pool -f json",
  "pg map 1.0",
  "tell osd.* version --format json",
  "tell mon.a version",
  "tell osd.0 config get osd_objectstore",
  "tell mgr version",
  "tell osd.0 injectargs --debug-ms=0",
  "tell osd.* injectargs --debug_ms 0/0 --osd-max-scrubs 1",
  "osd pool application enable libvirt-pool other --yes-i-really-mean-it",
  "osd set noout",
  "osd unset noout",
  "osd reweight 2 1",
]) {
  test(`siphon ceph ${words}: like the ceph program`, async () => {
    const args = words.split(" ");
    await agree(async () => {
      const [ours, theirs] = await Promise.all([siphon("ceph", ...args), ceph(...args)]);
      assert.equal(ours.stderr, theirs.stderr);
      assert.equal(withoutBlankLines(ours.stdout), withoutBlankLines(theirs.stdout));
      assert.equal(ours.code, 0);
    });
  });
}

test("a failing command has the output and the exit code of the ceph program", async () => {
  for (const words of ["osd ok-to-stop 0 1 2", "auth import -i /nowhere", "osd getcrushmap -o /nowhere/x"]) {
    const args = words.split(" ");
    const [ours, theirs] = await Promise.all([siphon("ceph", ...args), ceph(...args)]);
    assert.equal(withoutBlankLines(ours.stdout), withoutBlankLines(theirs.stdout), words);
    assert.equal(ours.code, theirs.code, words);
    assert.notEqual(ours.code, 0);
  }
});

test("monitors are pinged, and daemons answer over their admin sockets, like with the ceph program", async () => {
  const { code, stdout } = await siphon("ceph", "ping", "mon.a");
  assert.equal(code, 0);
  const { health, mon_status } = JSON.parse(stdout);
  assert.deepEqual([typeof health.status, mon_status.name], ["string", "a"]);
  for (const words of [
    "daemon osd.0 version",
    "daemon osd.0 config get osd_objectstore",
    "daemon osd.0 config get osd_objectstore -f json",
    "daemon osd.0 nonsense",
    "daemon osd.99 version",
    "daemon osd.0",
    "ping osd.0",
    "ping mon.nobody",
  ]) {
    const [ours, theirs] = await Promise.all([
      siphon("ceph", ...words.split(" ")),
      ceph(...words.split(" ")),
    ]);
    assert.equal(ours.code, theirs.code, `${words}: ${ours.stderr}`);
    if (ours.code === 0) assert.equal(ours.stdout, theirs.stdout);
  }
});

test("an unreachable cluster is given up after --connect-timeout", async () => {
  const args = ["-m", "127.0.0.1:1", "--auth-client-required", "none", "--connect-timeout", "1"];
  const { code, stderr } = await siphon("ceph", "status", ...args);
  assert.notEqual(code, 0);
  assert.match(stderr, /within 1 s.*127\.0\.0\.1:1/);
});

test("a placement group is queried", async () => {
  const { code, stdout } = await siphon("ceph", "pg", "1.0", "query");
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).state, "active+clean");
  const named = JSON.parse((await siphon("ceph", "tell", "1.0", "query")).stdout);
  assert.equal(named.info.pgid, "1.0");
});

test("an unknown command is reported with similar commands, and the exit code is EINVAL", async () => {
  const { code, stderr } = await siphon("ceph", "osd", "pool", "creat", "x");
  assert.equal(code, 22);
  assert.match(stderr, /siphon: there is no command `osd pool creat x`; similar commands:\n {2}osd pool /);
});

test("a refusal by the cluster is reported in its words, and its errno is the exit code", async () => {
  const { code, stdout, stderr } = await siphon("ceph", "osd", "pool", "get", "nowhere", "size");
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /mon refused `osd pool get`: unrecognized pool 'nowhere' \(ENOENT\)/);
});

test("files are the input and the output of a command", async () => {
  const crush = join(directory, "crush");
  await siphon("ceph", "osd", "getcrushmap", "-o", crush);
  await run("crushtool", ["-d", crush, "-o", `${crush}.txt`]);
  assert.match(await readFile(`${crush}.txt`, "utf8"), /rule replicated_rule/);
  const keyring = join(directory, "keyring");
  // The key has the type that this Ceph makes; any other type would change the cluster's health.
  const key = (await run("ceph-authtool", ["--gen-print-key"])).stdout.trim();
  await writeFile(keyring, `[client.imported]\n\tkey = ${key}\n\tcaps mon = "allow r"\n`);
  const imported = await siphon("ceph", "auth", "import", "-i", keyring);
  assert.equal(imported.code, 0, imported.stderr);
  assert.equal((await ceph("auth", "get-key", "client.imported")).stdout.trim(), key);
});

test("siphon locate puts objects where ceph osd map puts them", async () => {
  for (const object of ["with space", "ümlaut"]) {
    const asked = [siphon("locate", `libvirt-pool/${object}`), ceph("osd", "map", "libvirt-pool", object)];
    const [ours, theirs] = await Promise.all(asked);
    assert.equal(ours!.stdout, theirs!.stdout);
  }
  const ours = await siphon("locate", "libvirt-pool/o", "--namespace", "ns");
  assert.equal(ours.stdout, (await ceph("osd", "map", "libvirt-pool", "o", "ns")).stdout);
  const { pg } = JSON.parse((await siphon("locate", "libvirt-pool/a", "--json")).stdout);
  assert.match(pg, /^1\.[0-9a-f]+$/);
  assert.match((await siphon("locate", "nowhere/a")).stderr, /siphon: there is no pool nowhere/);
  assert.equal((await siphon("locate", "no-slash")).code, 2);
});

test("siphon status shows what ceph status shows", async () => {
  const { stdout } = await siphon("status");
  assert.match(stdout, new RegExp(`id: +${cluster.fsid}`));
  assert.match(stdout, /health: +HEALTH_OK/);
  assert.match(stdout, /osd: +3 osds: 3 up \(since .+\), 3 in/);
  assert.match(stdout, /mgr: +x \(active\)/);
  assert.match(stdout, /pgs: +16 active\+clean/);
  const json = JSON.parse((await siphon("status", "--json")).stdout);
  assert.deepEqual([json.fsid, json.osds.up, json.pools], [cluster.fsid, 3, 1]);
});

test("siphon status --watch repeats the status until it is interrupted", async () => {
  const args = [main, "status", "--watch", "0.2", "--json", "--conf", cluster.conf];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout });
  let seen = 0;
  for await (const line of lines) {
    assert.equal(JSON.parse(line).fsid, cluster.fsid);
    if (++seen === 3) child.kill("SIGINT");
  }
  const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
  assert.equal(code, 130);
});

test("a local cluster is found by its name", async () => {
  const { stdout } = await callSiphon(["ceph", "--cluster", "cli-ceph", "fsid"]);
  assert.equal(stdout.trim(), cluster.fsid);
});
