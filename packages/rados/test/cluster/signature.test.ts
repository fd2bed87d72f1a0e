import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
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
  // From Reef on: JSON booleans, and parameters that are only given by name.
  cmd009: {
    sig: [
      "perf",
      { name: "logger", req: false, type: "CephString" },
      { name: "labels", req: false, positional: false, type: "CephBool" },
      { name: "counter", req: false, positional: false, type: "CephString" },
      { name: "depth", req: false, positional: false, range: "1|9", type: "CephInt" },
    ],
  },
  cmd010: { sig: ["query", { name: "pgid", req: true, type: "CephPgid" }] },
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
    /there is no command `osd crush set x y`; similar commands:\n {2}osd crush set \[<prior_version>\]\n/;
  assert.throws(() => sent("osd crush set x y"), near);
  const shown = usage(matchCommand(signatures, ["osd", "pool", "delete", "p"]).signature);
  assert.equal(shown, "osd pool delete <pool> [<pool2>] [--yes-i-really-really-mean-it]");
});

test("parameters of newer releases that have no place are given by name, and only so", () => {
  assert.equal(
    sent("perf osd --labels --counter op"),
    '{"prefix":"perf","labels":true,"counter":"op","logger":"osd"}',
  );
  assert.equal(sent("perf --depth 3"), '{"prefix":"perf","depth":3}');
  assert.throws(() => sent("perf osd op"), { code: "EINVAL", message: /--counter <counter>/ });
  assert.throws(() => sent("perf --depth 10"), { code: "EINVAL" });
  assert.throws(() => sent("query"), { code: "EINVAL" });
  assert.equal(sent("query 1.0"), '{"prefix":"query","pgid":"1.0"}');
});

test("a description may hold anything in any field: what makes sense of it can be used", () => {
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "true",
      "false",
      "True",
      "fasle",
      "N",
      "n",
      "0|3",
      "a|b",
      "[a-z]",
      "[z-a",
      "(",
      "CephInt",
      "CephBool",
    ),
    fc.jsonValue(),
  );
  const fields = ["name", "type", "req", "n", "strings", "range", "goodchars", "positional"];
  const parameter = fc.record(Object.fromEntries(fields.map((field) => [field, value])), {
    requiredKeys: [],
  });
  const sig = fc.oneof(fc.array(fc.oneof(fc.constantFrom("osd", "pg"), parameter, value)), value);
  const description = fc.oneof(fc.record({ sig, help: value, flags: value }, { requiredKeys: [] }), value);
  const word = fc.oneof(fc.constantFrom("osd", "pg", "--a", "--name=1", "3", "true"), fc.string());
  fc.assert(
    fc.property(fc.array(description), fc.array(word), (descriptions, words) => {
      const known = readSignatures({ ...descriptions, good: { sig: ["good", "one"] } });
      assert.equal(matchCommand(known, ["good", "one"]).command.prefix, "good one");
      for (const each of known) assert.equal(typeof usage(each), "string");
      try {
        commandText(matchCommand(known, words).command);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "EINVAL");
      }
    }),
  );
  for (const nothing of [undefined, null, 7, "text", []]) assert.deepEqual(readSignatures(nothing), []);
});
