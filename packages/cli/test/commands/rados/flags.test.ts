import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRadosArguments } from "../../../src/commands/rados/flags.ts";

test("options are allowed before and after the verb, in all their spellings", () => {
  const { flags, connect, words } = parseRadosArguments(
    "-p images --namespace=ns put --conf a.conf o file --offset 4K -b 1M --id me --format=json".split(" "),
  );
  assert.deepEqual(words, ["put", "o", "file"]);
  assert.deepEqual(connect, { conf: "a.conf", name: "client.me" });
  assert.deepEqual(
    [flags.pool, flags.namespace, flags.offset, flags.blockSize, flags.format],
    ["images", "ns", 4096, 2 ** 20, "json"],
  );
});

test("without options the defaults are those of rados", () => {
  const { flags } = parseRadosArguments(["ls"]);
  assert.deepEqual(flags, {
    ...{ all: false, format: "plain", offset: 0, concurrency: 16, maxObjects: 0 },
    ...{ cleanup: true, verify: true, reallyMeant: false, meant: false },
    ...{ keepExisting: false, dryRun: false, whenFull: false, create: false },
  });
});

test("options that siphon does not have are refused with an alternative", () => {
  for (const option of ["--striper", "--pgid=1.0", "--reuse-bench"]) {
    const message = new RegExp(`siphon does not do rados ${option.split("=")[0]}$`);
    assert.throws(() => parseRadosArguments(["ls", option]), { code: "EOPNOTSUPP", message });
  }
});

test("words after -- are no options, and neither is a single -", () => {
  const { words } = parseRadosArguments(["put", "o", "-", "--", "--all", "-x"]);
  assert.deepEqual(words, ["put", "o", "-", "--all", "-x"]);
});

test("an unknown option, or one without its value, is refused by name", () => {
  for (const [args, message] of [
    [["ls", "--everything"], /no option --everything/],
    [["ls", "-p"], /-p needs a value/],
    [["bench", "-t", "many"], /-t takes a number, and not many/],
    [["put", "--block-size", "4k"], /--block-size takes a size, and not 4k/],
    [["lock", "get", "--lock-duration", "4k"], /--lock-duration takes a number, and not 4k/],
    [["df", "--max-ops", "4k"], /--max-ops takes a size, and not 4k/],
    [["put", "--offset", "-5"], /--offset takes a size, and not -5/],
    [["ls", "--format", "xml"], /no format xml/],
  ] as const) {
    assert.throws(() => parseRadosArguments(args), { code: "SIPHON_USAGE", message });
  }
});
