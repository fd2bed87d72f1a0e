import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { main } from "../support/programs.ts";

const script = (shell: string) =>
  spawnSync(process.execPath, [main, "completion", shell], { encoding: "utf8" });

test("bash completes commands, subcommands and options", () => {
  const { stdout } = script("bash");
  const complete = (...words: string[]) => {
    const set = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}`;
    const ask = `${stdout}\n${set}; _siphon; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return spawnSync("bash", ["-c", ask], { encoding: "utf8" }).stdout.trim().split("\n");
  };
  assert.deepEqual(complete("siphon", "comp"), ["compare", "completion"]);
  assert.deepEqual(complete("siphon", "rbd", "snap", "ro"), ["rollback"]);
  assert.deepEqual(complete("siphon", "rbd", "export", "pool/image", "--no-p"), ["--no-progress"]);
  assert.deepEqual(complete("siphon", "rados", "-p", "images", "listomap"), ["listomapkeys", "listomapvals"]);
  assert.deepEqual(complete("siphon", "ceph", "osd", "pool", "set"), ["set", "set-quota"]);
  assert.deepEqual(complete("siphon", "rbd", "ls", "--format", ""), ["plain", "json", "xml"]);
});

test("an unknown shell is refused", () => {
  const { status, stderr } = script("tcsh");
  assert.equal(status, 2);
  assert.match(stderr, /bash, zsh or fish/);
});
