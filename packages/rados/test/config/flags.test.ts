import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCephFlags } from "../../src/config/flags.ts";

test("Ceph's own options are taken out of the arguments, in all their spellings", () => {
  const flags = parseCephFlags(
    "osd -c a.conf --cluster east -n client.x -m 192.0.2.1 -k ring --keyfile=f tree --format json".split(" "),
  );
  assert.equal(flags.conf, "a.conf");
  assert.equal(flags.cluster, "east");
  assert.equal(flags.name, "client.x");
  assert.deepEqual(Object.fromEntries(flags.settings), {
    mon_host: "192.0.2.1",
    keyring: "ring",
    keyfile: "f",
  });
  assert.deepEqual(flags.rest, ["osd", "tree", "--format", "json"]);
});

test("an id is that of a client, and the last option counts", () => {
  assert.equal(parseCephFlags(["--name", "client.a", "--id=b"]).name, "client.b");
  assert.equal(parseCephFlags(["--user", "c"]).name, "client.c");
});

test("arguments after -- are not options", () => {
  assert.deepEqual(parseCephFlags(["a", "--", "--id", "b"]).rest, ["a", "--", "--id", "b"]);
});

test("where any setting may be given, options without a value are true", () => {
  const { settings, rest } = parseCephFlags(
    ["--ms-client-mode=secure", "--rbd_cache", "--log_to_stderr", "x"],
    true,
  );
  assert.deepEqual(Object.fromEntries(settings), {
    ms_client_mode: "secure",
    rbd_cache: "true",
    log_to_stderr: "x",
  });
  assert.deepEqual(rest, []);
});

test("an option that lacks its value is refused", () => {
  assert.throws(() => parseCephFlags(["--conf"]), /--conf needs a value/);
});
