import assert from "node:assert/strict";
import { test } from "node:test";
import { commandText } from "../../src/cluster/command.ts";
import { matchCommand, readSignatures, usage } from "../../src/cluster/signature.ts";

/** Some of what Ceph 16 describes, as it describes it. */
const signatures = readSignatures({
  cmd000: { sig: ["status"], help: "show cluster status", module: "mon", perm: "r", flags: 0 },
  cmd001: {
    sig: [
      ...["osd", "pool", "create"],
      { name: "pool", type: "CephPoolname" },
      { name: "pg_num", range: "0", req: "false", type: "CephInt" },
      { name: "pgp_num", range: "0", req: "false", type: "CephInt" },
      { name: "pool_type", req: "false", strings: "replicated|erasure", type: "CephChoices" },
      { goodchars: "[A-Za-z0-9-_.]", name: "erasure_code_profile", req: "false", type: "CephString" },
      { name: "size", range: "0", req: "false", type: "CephInt" },
    ],
    flags: 0,
  },
  cmd002: {
    sig: [
      ...["osd", "pool", "delete"],
      { name: "pool", type: "CephPoolname" },
      { name: "pool2", req: "false", type: "CephPoolname" },
      { name: "yes_i_really_really_mean_it", req: "false", type: "CephBool" },
    ],
  },
  cmd003: {
    sig: ["osd", "crush", "set", { name: "prior_version", req: "false", type: "CephInt" }],
  },
  cmd004: {
    sig: [
      ...["osd", "crush", "set"],
      { name: "id", type: "CephOsdName" },
      { name: "weight", range: "0.0", type: "CephFloat" },
      { goodchars: "[A-Za-z0-9-_.=]", n: "N", name: "args", type: "CephString" },
    ],
  },
  cmd005: {
    sig: [
      ...["osd", "tier", "add"],
      { name: "pool", type: "CephPoolname" },
      { name: "tierpool", type: "CephPoolname" },
      { name: "force_nonempty", req: "false", strings: "--force-nonempty", type: "CephChoices" },
    ],
  },
  cmd006: {
    sig: ["osd", "df", { name: "output_method", req: "false", strings: "plain|tree", type: "CephChoices" }],
    flags: 8,
  },
  cmd007: { sig: ["pg", "map", { name: "pgid", type: "CephPgid" }] },
  cmd008: { sig: ["osd", "out", { n: "N", name: "ids", type: "CephString" }] },
});

function sent(words: string): string {
  return commandText(matchCommand(signatures, words.split(" ")).command);
}

for (const [words, json] of [
  ["status", '{"prefix":"status"}'],
  ["osd pool create p", '{"prefix":"osd pool create","pool":"p"}'],
  ["osd pool create p 8", '{"prefix":"osd pool create","pool":"p","pg_num":8}'],
  [
    "osd pool create p 8 erasure k2m1",
    '{"prefix":"osd pool create","pool":"p","pg_num":8,"pool_type":"erasure","erasure_code_profile":"k2m1"}',
  ],
  ["osd pool create p --size 2 8", '{"prefix":"osd pool create","size":2,"pool":"p","pg_num":8}'],
  ["osd pool create --pg-num=4 p", '{"prefix":"osd pool create","pg_num":4,"pool":"p"}'],
  [
    "osd pool delete p p --yes-i-really-really-mean-it",
    '{"prefix":"osd pool delete","yes_i_really_really_mean_it":true,"pool":"p","pool2":"p"}',
  ],
  ["osd crush set 3", '{"prefix":"osd crush set","prior_version":3}'],
  [
    "osd crush set osd.3 1 root=default host=a",
    '{"prefix":"osd crush set","id":3,"weight":1.0,"args":["root=default","host=a"]}',
  ],
  ["osd crush set 3 0.5 host=a", '{"prefix":"osd crush set","id":3,"weight":0.5,"args":["host=a"]}'],
  [
    "osd tier add a b --force-nonempty",
    '{"prefix":"osd tier add","pool":"a","tierpool":"b","force_nonempty":"--force-nonempty"}',
  ],
  ["pg map 1.1f", '{"prefix":"pg map","pgid":"1.1f"}'],
  ["osd out 1 2 3", '{"prefix":"osd out","ids":["1","2","3"]}'],
] as const) {
  test(`\`${words}\` is sent as ${json}`, () => {
    assert.equal(sent(words), json);
  });
}

test("who carries a command out is in its description", () => {
  assert.equal(matchCommand(signatures, ["osd", "df", "tree"]).signature.forModules, true);
  assert.equal(matchCommand(signatures, ["status"]).signature.forModules, false);
});

for (const words of [
  ...["osd pool create", "osd pool create p x/y", "osd df wide", "pg map 1", "status now"],
  ...[
    "osd pool delete p --no-such-flag",
    "osd crush set osd.3 heavy host=a",
    "osd pool delete constructor toString x",
  ],
]) {
  test(`\`${words}\` fits nothing`, () => {
    assert.throws(() => sent(words), { code: "EINVAL", message: /there is no command/ });
  });
}

test("a command that is nearly right is answered with what there is", () => {
  const near =
    /there is no command `osd crush set x y`; near to it:\n {2}osd crush set \[<prior_version>\]\n/;
  assert.throws(() => sent("osd crush set x y"), near);
  const shown = usage(matchCommand(signatures, ["osd", "pool", "delete", "p"]).signature);
  assert.equal(shown, "osd pool delete <pool> [<pool2>] [--yes-i-really-really-mean-it]");
});
