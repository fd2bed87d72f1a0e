import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { confText, parseConf, readConf, writeClientConf } from "../../src/ceph/conf.ts";
import { LabError } from "../../src/errors.ts";

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "siphon-conf-"));
});
after(() => rm(dir, { recursive: true, force: true }));

test("a ceph.conf is read with its comments, continued lines and several spellings of a name", () => {
  const conf = parseConf(`
    early = 1 ; before any section
    [global]
    mon host = [v2:192.0.2.1:3300,v1:192.0.2.1:6789], \\
      192.0.2.2
    # rbd_cache = true
    rbd-cache=false # for now
    [client.libvirt]
    keyring = /etc/ceph/ceph.client.libvirt.keyring
    [global]
    fsid = x#y
  `);
  assert.deepEqual(conf, {
    global: {
      early: "1",
      mon_host: "[v2:192.0.2.1:3300,v1:192.0.2.1:6789], 192.0.2.2",
      rbd_cache: "false",
      fsid: "x#y",
    },
    "client.libvirt": { keyring: "/etc/ceph/ceph.client.libvirt.keyring" },
  });
});

test("written results are read back unchanged, without empty sections", () => {
  const conf = { global: { fsid: "f", mon_host: "[v2:127.0.0.1:1]" }, "client.a": { rbd_cache: "true" } };
  assert.deepEqual(parseConf(confText({ ...conf, osd: {} })), conf);
});

test("a client's options land in its user's section, the file keeps its name, and keys stay out of sight", async () => {
  const base = join(dir, "ceph.conf");
  await writeFile(
    base,
    "[global]\nfsid = f\nkeyring = ./all.keyring\n[client.vm]\nkey = SECRET\nrbd_cache = true\n",
  );
  const options = { rbd_cache: "false", librados_thread_count: "1" };
  const made = await writeClientConf({ base, user: "vm", options, dir: join(dir, "one") });
  assert.equal(made.path, join(dir, "one", "ceph.conf"));
  assert.deepEqual(await readConf(made.path), {
    global: { fsid: "f", keyring: join(dir, "all.keyring") },
    "client.vm": { key: "SECRET", ...options },
  });
  assert.equal((await stat(made.path)).mode & 0o777, 0o600);
  assert.ok(!made.text.includes("SECRET"));
  assert.match(made.text, /librados_thread_count = 1/);
  assert.match(await readFile(base, "utf8"), /rbd_cache = true/);
});

test("a configuration that is not there is named", async () => {
  await assert.rejects(readConf("/nowhere/ceph.conf"), (error) => {
    return (
      error instanceof LabError &&
      error.code === "SIPHON_NOT_FOUND" &&
      /\/nowhere\/ceph\.conf/.test(error.message)
    );
  });
});
