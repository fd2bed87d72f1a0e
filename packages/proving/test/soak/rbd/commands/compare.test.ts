import assert from "node:assert/strict";
import { test } from "node:test";
import { differing, firstWords } from "../../../../soak/rbd/commands/compare.ts";
import { accountedFor } from "../../../../soak/rbd/commands/differences.ts";
import { allLines, someLines } from "../../../../soak/rbd/commands/lines.ts";

const answer = (code: number, stdout = "", stderr = "") => ({ code, stdout, stderr });

test("only the part of a message that scripts match is compared: rbd's own first line, or the errno that it names", () => {
  const text =
    "2026-11-30T09:43:35.740+0000 7f87f149f380 -1 librbd: failed\nrbd: error opening image x: (2) No such file or directory\n";
  assert.equal(firstWords(text), "(2) No such file or directory");
  assert.equal(
    firstWords("rbd: snapshot name was not specified\nrbd: more\n"),
    "snapshot name was not specified",
  );
  assert.equal(
    firstWords("rbd: snapshot 's' is protected from removal.\n"),
    "snapshot 's' is protected from removal",
  );
  assert.equal(firstWords("usage: rbd ls\n"), "");
  const [log] = text.split("rbd: error");
  assert.equal(
    firstWords(`rbd: flatten error: ${log}\n(22) Invalid argument`),
    "(22) Invalid argument",
    "the log stands within a line",
  );
  assert.equal(
    firstWords("rbd: image creation failed\nrbd: import failed: (17) File exists\n"),
    "(17) File exists",
  );
});

test("answers differ in exit code, output and message, but not in names of pools, ids and times", () => {
  const theirs = answer(2, "pool-b 10226b8b4567\n", "rbd: no: (2) No such file or directory\n");
  const same = answer(2, "pool-a 10fd6b8b4999\n", "siphon: there is none: (2) No such file or directory\n");
  assert.deepEqual(differing({ ours: same, theirs }), []);
  const other = answer(1, "pool-a  other\n", "siphon: there is none\n");
  assert.deepEqual(differing({ ours: other, theirs }), ["code", "stdout", "stderr"]);
});

test("an intended difference is matched by rbd's message, and covers only the parts named in its row", () => {
  const ours = answer(1, "", "siphon: an order is 12 to 25, and not x");
  const theirs = answer(1, "", "rbd: the argument for option '--order' is invalid\n");
  const line = "create P/new --size 4M --order x";
  assert.deepEqual(differing({ ours, theirs }), ["stderr"]);
  assert.ok(accountedFor(line, { ours, theirs }, "stderr", 16));
  assert.equal(accountedFor(line, { ours, theirs }, "code", 16), undefined);
  assert.ok(accountedFor("group info P/g", { ours, theirs }, "code", 18));
  assert.equal(accountedFor("group info P/g", { ours, theirs }, "code", 20), undefined);
});

test("the table gives more than a thousand unique command lines, and the same ones for the same seed", () => {
  const all = allLines();
  assert.ok(all.length > 1000);
  assert.equal(new Set(all).size, all.length);
  for (const line of [
    "snap rm P/plain@s2 --no-progress",
    "info --pool P --image plain --snap s1",
    "ls --nonsense P",
  ]) {
    assert.equal(all.includes(line), line !== "ls --nonsense P", line);
  }
  assert.deepEqual(someLines(20, 3), someLines(20, 3));
  assert.notDeepEqual(someLines(20, 3), someLines(20, 4));
});
