import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { CephConf } from "../../../rados/src/config/ceph-conf.ts";

const run = promisify(execFile);
let directory = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "siphon-conf-"));
});

after(() => rm(directory, { recursive: true }));

const file = String.raw`; a comment
[global]
plain = 1
two words = spaces
under_score = 3   # comment
quoted = "a value"
single = 'it "is"'
escaped = a \; b \# c \\ d
continued = first \
    second
inner = a"b"c
meta = $cluster/$name-$id-$type ${"$"}{name} $unknown $$
host = $host
twice = 1
twice = 2
empty =
mon host = [v2:192.0.2.1:3300,v1:192.0.2.1:6789]
for = everybody
[client]
for = clients
[client.x]
own = mine
for = x
[global]
late = merged
`;

const settings = [
  ...["plain", "two words", "two_words", "under score", "under_score", "quoted", "single", "escaped"],
  ...["continued", "inner", "meta", "host", "twice", "empty", "mon host", "for", "own", "late", "missing"],
];

for (const name of ["client.x", "client.admin"]) {
  test(`settings are those that ceph-conf prints for ${name}`, async () => {
    const path = join(directory, "east.conf");
    await writeFile(path, file);
    const config = await CephConf.load({ conf: path, name, env: {} });
    for (const setting of settings) {
      const args = ["-c", path, "--name", name, "--lookup", setting];
      const theirs = await run("ceph-conf", args).catch(() => undefined);
      // ceph-conf prints nothing for an empty setting and for a missing one, so the output cannot distinguish them.
      assert.equal(config.get(setting) ?? "", theirs?.stdout.replace(/\n$/, "") ?? "", setting);
    }
  });
}
