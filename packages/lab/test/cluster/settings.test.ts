import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { checkSocketPaths, clusterPaths, daemonsOf } from "../../src/cluster/layout.ts";
import { addressVector, clusterConf } from "../../src/cluster/settings.ts";
import { type ClusterSpecInput, parseClusterSpec } from "../../src/cluster/spec.ts";
import { LabError } from "../../src/errors.ts";

const homeAt = (dir: string) => ({ dir, path: (...parts: string[]) => join(dir, ...parts) });
const home = homeAt("/var/lib/siphon/clusters/c");
const mons = [{ id: "a", ip: "127.0.0.1", v2: 11_000, v1: 11_001 }];
const confOf = (input: ClusterSpecInput) => {
  return clusterConf({ ...parseClusterSpec(input), osdSize: 2 ** 30 }, { fsid: "f", mons, home });
};

test("addresses are written as monmaptool wants them, the newer protocol first", () => {
  assert.equal(addressVector(mons[0]), "[v2:127.0.0.1:11000,v1:127.0.0.1:11001]");
  assert.equal(addressVector({ id: "a", ip: "192.0.2.1", v1: 11_001 }), "[v1:192.0.2.1:11001]");
});

test("all six modes say the same, and any offers both", () => {
  const modes = (input: ClusterSpecInput) =>
    Object.entries(confOf(input).global)
      .filter(([name]) => /^ms_.*_mode$/.test(name))
      .map(([, value]) => value);
  assert.deepEqual(modes({ auth: "cephx", wire: "secure" }), Array(6).fill("secure"));
  assert.deepEqual(modes({ auth: "cephx", wire: "any" }), Array(6).fill("crc secure"));
  assert.deepEqual(modes({}), Array(6).fill("crc"));
});

test("the messenger versions that are bound follow from msgr", () => {
  const bound = (msgr: "v1" | "v2" | "both") => {
    const { ms_bind_msgr1, ms_bind_msgr2 } = confOf({ msgr }).global;
    return [ms_bind_msgr1, ms_bind_msgr2];
  };
  assert.deepEqual(bound("v1"), ["true", "false"]);
  assert.deepEqual(bound("v2"), ["false", "true"]);
  assert.deepEqual(bound("both"), ["true", "true"]);
});

test("the caller's settings beat those of every section", () => {
  const conf = confOf({ settings: { osd_max_scrubs: 4, rbd_cache: true, debug_ms: "0/0" } });
  assert.equal(conf.osd.osd_max_scrubs, undefined);
  assert.deepEqual(
    [conf.global.osd_max_scrubs, conf.global.rbd_cache, conf.global.debug_ms],
    ["4", "true", "0/0"],
  );
});

test("every file that a daemon writes lies in the cluster's directory", () => {
  const conf = confOf({});
  for (const section of ["mon", "mgr", "osd"]) {
    for (const name of ["admin_socket", "log_file", `${section}_data`]) {
      assert.ok(conf[section][name].startsWith(home.dir), `${section} ${name}`);
    }
  }
  assert.ok(conf.global.run_dir.startsWith(home.dir) && conf.global.crash_dir.startsWith(home.dir));
});

test("a directory too long for a socket's name is refused before anything is made", () => {
  const daemons = daemonsOf({ mons: 1, osds: 1 });
  checkSocketPaths(clusterPaths(home), daemons);
  assert.throws(
    () => checkSocketPaths(clusterPaths(homeAt("/x".repeat(50))), daemons),
    (error) => error instanceof LabError && /too long for a socket/.test(error.message),
  );
});

test("OSDs are told where their classes are, if that is known", () => {
  const place = { fsid: "f", mons, home };
  const spec = { ...parseClusterSpec({}), osdSize: 2 ** 30 };
  assert.equal(
    clusterConf(spec, { ...place, classDirectory: "/usr/lib/rados-classes" }).osd.osd_class_dir,
    "/usr/lib/rados-classes",
  );
  assert.ok(!("osd_class_dir" in clusterConf(spec, place).osd));
});
