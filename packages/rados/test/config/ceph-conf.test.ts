import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import { CephConf, type CephConfOptions } from "../../src/config/ceph-conf.ts";
import { RadosError } from "../../src/errors.ts";

let directory = "";
let conf = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "siphon-conf-"));
  conf = join(directory, "east.conf");
  await writeFile(
    conf,
    `[global]
mon host = 192.0.2.1
keyring = ${directory}/$cluster.$name.keyring
a = all
b = all
c = all
reference = <$b>
[client]
b = clients
c = clients
[client.x]
c = x
key of mine = AQBhidden==
[mon.a]
mon addr = 192.0.2.7:6789
`,
  );
  await writeFile(join(directory, "east.client.x.keyring"), "[client.x]\nkey = AQBfromkeyring==\n");
  await writeFile(join(directory, "keyfile"), "AQBfromkeyfile==\n");
});

after(() => rm(directory, { recursive: true }));

const load = (options: CephConfOptions = {}) => CephConf.load({ conf, env: {}, ...options });

test("a user's own section beats its type's, and that the global one", async () => {
  const config = await load({ name: "client.x" });
  assert.deepEqual(
    ["a", "b", "c", "d"].map((name) => config.get(name)),
    ["all", "clients", "x", undefined],
  );
  const other = await load({ name: "client.y" });
  assert.equal(other.get("c"), "clients");
});

test("the command line beats the caller's settings, those CEPH_ARGS, and that the file", async () => {
  const env = { CEPH_ARGS: "--a=env --b env --c env --id z" };
  const config = await load({ env, settings: { b: "caller", c: "caller" }, args: ["-m", "192.0.2.9"] });
  assert.deepEqual(
    ["a", "b", "c"].map((name) => config.get(name)),
    ["env", "caller", "caller"],
  );
  assert.equal(config.get("mon host"), "192.0.2.9");
  assert.equal(config.name, "client.z");
});

test("metavariables and references to other settings are filled in", async () => {
  const config = await load({ name: "client.x" });
  assert.equal(config.cluster, "east");
  assert.equal(config.get("keyring"), `${directory}/east.client.x.keyring`);
  assert.equal(config.get("reference"), "<clients>");
});

test("settings that refer to each other for ever are left at some point", async () => {
  const config = await load({ settings: { a: "$b", b: "$a" } });
  assert.equal(typeof config.get("a"), "string");
});

test("CEPH_CONF names the file, unless another is named", async () => {
  const config = await CephConf.load({ env: { CEPH_CONF: conf } });
  assert.equal(config.path, conf);
  const missing = CephConf.load({ env: { CEPH_CONF: conf }, args: ["--conf", "/nowhere/ceph.conf"] });
  await assert.rejects(missing, (error) => error instanceof RadosError && /\/nowhere/.test(error.message));
});

test("without any file there are no settings, and no error", async () => {
  const config = await CephConf.load({ env: { HOME: directory }, cluster: "no-such-cluster" });
  assert.equal(config.path, undefined);
  assert.deepEqual(config.monHosts(), []);
});

test("the key comes from the setting, the key file, or the keyring, in that order", async () => {
  const user = { name: "client.x" };
  assert.equal((await (await load(user)).key())?.reveal(), "AQBfromkeyring==");
  const keyfile = await load({ ...user, args: ["--keyfile", join(directory, "keyfile")] });
  assert.equal((await keyfile.key())?.reveal(), "AQBfromkeyfile==");
  const key = await load({ ...user, settings: { key: "AQBgiven==" } });
  assert.equal((await key.key())?.reveal(), "AQBgiven==");
  const env = { CEPH_KEYRING: join(directory, "east.client.x.keyring") };
  assert.equal((await (await load({ ...user, conf: "/dev/null", env })).key())?.reveal(), "AQBfromkeyring==");
  assert.equal(await (await load({ name: "client.nobody" })).key(), undefined);
});

test("monitors are those of mon_host, else of the monitors' sections", async () => {
  assert.equal((await load()).monHosts()[0]![0]!.host, "192.0.2.1");
  assert.equal((await load({ settings: { mon_host: "" } })).monHosts()[0]![0]!.host, "192.0.2.7");
});

test("printing a configuration reveals none of its values", async () => {
  const config = await load({ settings: { key: "AQBgiven==" } });
  assert.doesNotMatch(inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config), /AQB/);
});
