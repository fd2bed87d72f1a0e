import assert from "node:assert/strict";
import { test } from "node:test";
import { optionsLast } from "../../../src/commands/rbd/leading-options.ts";

const arranged = (line: string) => optionsLast(line.split(" ")).join(" ");

test("options before the command go behind it, with their values", () => {
  assert.equal(arranged("-p images ls -l"), "ls -l -p images");
  assert.equal(arranged("--conf=/a --no-progress snap ls vm1"), "snap ls vm1 --conf=/a --no-progress");
  assert.equal(arranged("info vm1 --pool x"), "info vm1 --pool x");
  assert.equal(arranged("--help"), "--help");
  assert.equal(arranged("-p images"), "-p images");
});

test("Ceph's other names of the options are known there", () => {
  assert.equal(arranged("--user libvirt --mon_host=a,b ls"), "ls --id libvirt --mon-host=a,b");
});
