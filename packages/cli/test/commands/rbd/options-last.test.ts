import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { optionsLast } from "../../../src/commands/rbd/options-last.ts";
import { rbdCommand } from "../../../src/commands/rbd.ts";

const arranged = (line: string) => optionsLast(line.split(" ")).join(" ");

test("options before and within the command move behind it, with their values", () => {
  assert.equal(arranged("-p images ls -l"), "ls -p images -l");
  assert.equal(arranged("--conf=/a --no-progress snap ls vm1"), "snap ls vm1 --conf=/a --no-progress");
  assert.equal(arranged("-pimages snap --format json ls vm1"), "snap ls vm1 -pimages --format json");
  assert.equal(arranged("info vm1 --pool x"), "info vm1 --pool x");
  assert.equal(arranged("export vm1 - --no-progress"), "export vm1 - --no-progress");
  assert.equal(arranged("import --image vm1 -- -x"), "import --image vm1 -- -x");
  assert.equal(arranged("--help"), "--help");
  assert.equal(arranged("-p images"), "-p images");
});

test("the old form of a benchmark is translated", () => {
  assert.equal(arranged("bench-write vm1 -p x --io-size 4K"), "bench vm1 -p x --io-size 4K --io-type write");
});

test("Ceph's other names of the options are known", () => {
  assert.equal(arranged("--user libvirt --mon_host=a,b ls"), "ls --id libvirt --mon-host=a,b");
});

test("for every option of every command it is known whether it takes a value", async () => {
  const wrong: string[] = [];
  const look = (command: Command) => {
    for (const option of command.options) {
      for (const name of [option.short, option.long]) {
        if (name === undefined) continue;
        const isSwitch = option.isBoolean() || option.negate;
        const expected = isSwitch ? `word ${name}` : `${name} word`;
        if (arranged(`${name} word`) !== expected) wrong.push(`${name} of ${command.name()}`);
      }
    }
    command.commands.forEach(look);
  };
  look(await rbdCommand());
  assert.deepEqual(wrong, []);
});
